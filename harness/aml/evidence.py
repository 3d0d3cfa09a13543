"""What a customer's scores come to: one odd payment happens to everybody, several within weeks do not.

A customer stands by the log-odds of the four highest scores it was given, weighed 4 : 2 : 1 : 1 (docs/aml.md says how
that was chosen): several transfers of some suspicion weigh more than a single one that stands out. Whoever has fewer
scores is taken to have had the lowest ones besides.
"""

import numpy as np
import numpy.typing as npt

from harness.quality.scored import NOT_RANKED, Int64s, Scores

WEIGHTS = np.array([4.0, 2.0, 1.0, 1.0]) / 8.0
"""Of a customer's highest scores, the highest first."""
LEAST = 1e-6
"""Scores nearer to 0 or 1 than this count as being so near."""
_FLOOR = float(np.log(LEAST / (1.0 - LEAST)))


class Evidence:
    """The highest scores of each customer so far. `standing`, float64 [customers], is what they come to, as a score
    (NOT_RANKED without any)."""

    def __init__(self, customers: int) -> None:
        self._highest = np.full((customers, len(WEIGHTS)), _FLOOR)
        self.standing: Scores = np.full(customers, NOT_RANKED)

    def take(self, customer: Int64s, score: Scores) -> None:
        """Take in scores (0 to 1) of customers, in any order."""
        who, place = np.unique(customer, return_inverse=True)
        if len(who) == 0:
            return
        now = np.concatenate([self._highest[who].ravel(), log_odds(score)])
        of = np.concatenate([np.repeat(np.arange(len(who)), len(WEIGHTS)), place])
        order = np.lexsort((-now, of))
        begin = np.searchsorted(of[order], np.arange(len(who)))
        highest = now[order][begin[:, None] + np.arange(len(WEIGHTS))]
        self._highest[who] = highest
        # term by term: a matrix product rounds otherwise from one number of rows to the next
        evidence = sum(weight * highest[:, place] for place, weight in enumerate(WEIGHTS))
        self.standing[who] = 1.0 / (1.0 + np.exp(-evidence))


def log_odds(score: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of scores between 0 and 1."""
    kept = np.clip(score, LEAST, 1.0 - LEAST)
    found: npt.NDArray[np.float64] = np.log(kept / (1.0 - kept))
    return found
