"""From the steps of a plan to stages: who decides, who else scores, from which event time on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.rollout import Candidate, Phase, RolloutStep

Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stage:
    """A step with what the steps before it come to.

    `champions` are the candidates that were given everything and not rolled back, the newest first; the bundle that the
    worker was started with stands behind them. `candidate` is on trial (shadow, canary), or None.
    """

    phase: Phase
    champions: tuple[Candidate, ...]
    candidate: Candidate | None
    from_ns: int
    share: float = 0.0
    salt: str = ""


def stages_of(steps: Sequence[RolloutStep]) -> tuple[Stage, ...]:
    """A stage for each step of a plan that `streams.rollout.check_plan` has passed."""
    champions: tuple[Candidate, ...] = ()
    stages = []
    for step in steps:
        on_trial = step.candidate if step.phase in ("shadow", "canary") else None
        if step.phase == "full":
            champions = (step.candidate, *champions)
        elif step.phase == "rolled-back" and champions and champions[0] == step.candidate:
            champions = champions[1:]
        stages.append(Stage(step.phase, champions, on_trial, step.from_event_time_ns, step.share or 0.0, step.salt))
    return tuple(stages)


def stage_of_events(stages: Sequence[Stage], times_ns: Int64s) -> Int64s:
    """Of events at these times (int64 [n]) the place of their stage, -1 before any: the last that begins at or before
    each."""
    found = np.full(len(times_ns), -1, np.int64)
    for place, stage in enumerate(stages):
        found[times_ns >= stage.from_ns] = place
    return found
