"""Margins to probabilities that mean what they say: of the events scored about 0.3, about three in ten are fraud."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from streams.kernels.compiled import compiled, inlined

CalibrationMethod = Literal["none", "platt", "beta"]
Margins = NDArray[np.floating]
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Score of a margin m (log-odds): 1 / (1 + exp(−z)) with z = −a · ln(1 + e^−m) + b · ln(1 + e^m) + c.

    Beta calibration of the probability p = 1 / (1 + e^−m): z = a · ln p − b · ln(1 − p) + c (Kull, Silva Filho & Flach,
    Beta calibration, AISTATS 2017, equation 2). With a = b it is Platt's z = a · m + c (Platt, Probabilistic outputs
    for support vector machines, 1999); a = b = 1, c = 0 leaves the logistic function of the margin as it is.
    """

    method: CalibrationMethod = "none"
    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def scores(self, margin: Margins) -> Scores:
        """Scores in 0–1, float64 [n], of margins float32 [n]. Strictly increasing; a row's score does not depend on
        the rows beside it."""
        exact = np.ascontiguousarray(margin, dtype=np.float32)
        found = np.empty(len(exact), np.float64)
        _score(exact, self.a, self.b, self.c, found)
        return found

    def graded(self, margin: Margins, review: float, block: float) -> tuple[NDArray[np.int8], Scores]:
        """Scores as `scores`, and the grade of each: 0 below `review`, 1 from there on, 2 from `block` on, int8 [n].

        One compiled pass: for a single event, calling NumPy ten times costs more than the trees.
        """
        exact = np.ascontiguousarray(margin, dtype=np.float32)
        found, grade = np.empty(len(exact), np.float64), np.empty(len(exact), np.int8)
        _grade(exact, self.a, self.b, self.c, review, block, found, grade)
        return grade, found

    def log_odds(self, margin: Margins) -> Scores:
        """z, float64 [n]. In double, and the two parts by the sign of m, so that nothing overflows or cancels."""
        exact = np.asarray(margin, dtype=np.float64)
        if self.a == self.b:
            return self.a * exact + self.c
        rising = np.where(exact >= 0, self.b, self.a) * exact
        near_zero = np.log1p(np.exp(-np.abs(exact)))
        return np.asarray(rising + (self.b - self.a) * near_zero + self.c, dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """For bundle.json."""
        return {"method": self.method, "a": self.a, "b": self.b, "c": self.c}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "Calibration":
        """As `to_dict` wrote it. Raises `ValueError` for a slope that would not rise."""
        made = cls(found["method"], float(found["a"]), float(found["b"]), float(found["c"]))
        if not (made.a > 0 and made.b > 0 and np.isfinite([made.a, made.b, made.c]).all()):
            raise ValueError(f"calibration a = {made.a:g}, b = {made.b:g}: both slopes must be over 0")
        return made


UNCALIBRATED = Calibration()


@inlined
def _score_of(margin: float, a: float, b: float, c: float) -> float:
    """As `Calibration.log_odds`, and its logistic function: without overflow, rising in the margin."""
    if a == b:
        log_odds = a * margin + c
    else:
        slope = b if margin >= 0 else a
        log_odds = slope * margin + (b - a) * math.log1p(math.exp(-abs(margin))) + c
    decay = math.exp(-abs(log_odds))
    return (1.0 if log_odds >= 0 else decay) / (1.0 + decay)


@compiled
def _score(margin: NDArray[np.float32], a: float, b: float, c: float, found: Scores) -> None:
    for row in range(len(margin)):
        found[row] = _score_of(np.float64(margin[row]), a, b, c)


@compiled
def _grade(
    margin: NDArray[np.float32],
    a: float,
    b: float,
    c: float,
    review: float,
    block: float,
    found: Scores,
    grade: NDArray[np.int8],
) -> None:
    for row in range(len(margin)):
        score = _score_of(np.float64(margin[row]), a, b, c)
        found[row] = score
        grade[row] = (score >= review) + (score >= block)
