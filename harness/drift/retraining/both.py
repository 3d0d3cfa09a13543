"""What both models said of the same events while a candidate was in shadow or had a canary's keys."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Both:
    """n events for which a second score was due: what decided and what went along. `score` and `other` float64 [n]
    (`other` NaN: the other gave none); `flagged`, `other_flagged`; `fell_back`: rules decided in the model's stead."""

    score: Floats
    other: Floats
    flagged: Bools
    other_flagged: Bools
    fell_back: Bools

    def __len__(self) -> int:
        return len(self.score)

    @property
    def answered(self) -> float:
        """Share of events with both scores."""
        return float(np.mean(~np.isnan(self.other))) if len(self) else 0.0


def alert_ratio(champion: int, candidate: int) -> float:
    """How many times the alerts; one is added to either, so that few are not many times none."""
    return (candidate + 1) / (champion + 1)
