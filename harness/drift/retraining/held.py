"""Two models' scores of the same events, with what was known of these events at the time."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness.quality.scored import Codes, Scored, Scores


@dataclass(frozen=True, slots=True)
class Held:
    """n events as the champion decided them (`champion`: its scores are the decisions' own) and what the candidate
    gives instead where the model decides (`candidate` float64 [n]); each event's segment, −1 where not known. Labels
    are those that had arrived."""

    champion: Scored
    candidate: Scores
    segment: Codes
    segments: list[str]

    @property
    def rescored(self) -> Scored:
        """The same events with the candidate's scores."""
        return replace(self.champion, score=self.candidate)

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Held":
        """The chosen events."""
        return Held(self.champion.only(chosen), self.candidate[chosen], self.segment[chosen], self.segments)
