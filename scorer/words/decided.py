"""A micro-batch decided, in columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.pack import Verdicts
from scorer.explaining import ExplainedBy
from scorer.judgement import Judgement
from scorer.rollout.judging import Decided as DecidedByParts
from scorer.rollout.judging import shadow_scores
from streams.decision import ShadowScore


@dataclass(frozen=True, slots=True)
class Decided:
    """A micro-batch decided in columns: `values` float32 [n, F], `ids` of its n events."""

    ids: Sequence[str]
    values: NDArray[np.float32]
    verdicts: Verdicts
    judged: Judgement
    stages: dict[str, int]
    parts: DecidedByParts | None = None
    """Who decided which row, while a change of the model is under way."""

    def models(self) -> list[tuple[str, ShadowScore | None]] | None:
        """Of each row which model decided, and what the model beside says, if there is one; None while there is one
        model for all."""
        if self.parts is None:
            return None
        names = [who.model_version for who in self.parts.contenders]
        return list(zip((names[place] for place in self.parts.by.tolist()), shadow_scores(self.parts), strict=True))

    def explained_by(self, rows: NDArray[np.intp]) -> Iterator[tuple[ExplainedBy | None, NDArray[np.intp]]]:
        """These rows, by who explains them (None: the model the worker was started with)."""
        yield from [(None, rows)] if self.parts is None else self.parts.explained_by(rows)
