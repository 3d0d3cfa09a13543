"""Puts a rollout to a pipeline, where the options name a plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from scorer.rollout.contender import Contender, Home, contender
from scorer.rollout.rollout import Rollout
from scorer.rollout.watching import watching


class Changes(Protocol):
    """A pipeline whose model can be changed."""

    def change_by(self, rollout: Rollout) -> None:
        """From now on let the rollout say whose model decides."""


@contextmanager
def changing(pipeline: Changes, champion: Contender, home: Home) -> Iterator[None]:
    """What the plan says now is loaded first, and followed until the context is left; nothing without a plan.

    Raises BadInputError for a plan that cannot be read, or that is another one than the checkpoints were made under.
    """
    control = home.options.rollout_control
    if control is None:
        yield
        return
    with watching(control, lambda candidate: contender(candidate, home), home.options.checkpoint_dir) as watch:
        pipeline.change_by(Rollout(champion, watch))
        yield
