"""Where review and block begin: points of the precision-recall curve, chosen under an alert budget."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle import Thresholds
from streams.errors import BadInputError


@dataclass(frozen=True, slots=True)
class AlertBudget:
    """How many events may be alerted (reviewed or blocked): a share of all events, or a number a day when given.

    `block_precision` is the precision a block needs, shown by at least `block_alerts_min` alerts.
    """

    review_share: float = 0.01
    alerts_per_day: float | None = None
    block_precision: float = 0.8
    block_alerts_min: int = 10

    def __post_init__(self) -> None:
        if not 0 < self.review_share <= 1:
            raise BadInputError(f"review share must be over 0 and at most 1, got {self.review_share}")
        if self.alerts_per_day is not None and self.alerts_per_day < 1:
            raise BadInputError(f"alert budget per day must be at least 1, got {self.alerts_per_day}")
        if not 0 < self.block_precision <= 1:
            raise BadInputError(f"block precision must be over 0 and at most 1, got {self.block_precision}")

    def alerts(self, events: int, days: float) -> int:
        """How many alerts the budget allows among `events` events of `days` days."""
        allowed = self.review_share * events if self.alerts_per_day is None else self.alerts_per_day * days
        return max(1, int(allowed))


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """The curve, from the highest score down: row i describes alerting every event with score ≥ `score[i]`."""

    score: NDArray[np.float64]
    alerts: NDArray[np.int64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """The thresholds and what they give on the events they were chosen on."""

    thresholds: Thresholds
    alerts: int
    precision: float
    recall: float
    block_alerts: int
    block_precision: float


def precision_recall(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> PrecisionRecall:
    """The precision-recall curve over the distinct scores; both arrays of shape [n], n ≥ 1."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    hits = np.cumsum(labels[order])
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    alerts = (last + 1).astype(np.int64)
    found = hits[last].astype(np.float64)
    return PrecisionRecall(ordered[last], alerts, found / alerts, found / max(1, int(labels.sum())))


def choose_thresholds(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], days: float, budget: AlertBudget
) -> ThresholdChoice:
    """Review from the lowest score whose alerts keep within the budget (recall only grows as the score falls, so that
    is the highest recall the budget allows), block from the lowest score at or above it that keeps the precision.

    Where no score has that precision nothing is blocked but the certain (block = 1). `days` is how long the events
    took. Raises `BadInputError` when there is no event.
    """
    if scores.size == 0:
        raise BadInputError("thresholds need at least one validation event, got none")
    curve = precision_recall(labels, scores)
    review = max(0, int(np.searchsorted(curve.alerts, budget.alerts(scores.size, days), side="right")) - 1)
    sure = (curve.precision[: review + 1] >= budget.block_precision) & (
        curve.alerts[: review + 1] >= budget.block_alerts_min
    )
    block = int(np.flatnonzero(sure)[-1]) if sure.any() else None
    return ThresholdChoice(
        Thresholds(float(curve.score[review]), 1.0 if block is None else float(curve.score[block])),
        alerts=int(curve.alerts[review]),
        precision=float(curve.precision[review]),
        recall=float(curve.recall[review]),
        block_alerts=0 if block is None else int(curve.alerts[block]),
        block_precision=0.0 if block is None else float(curve.precision[block]),
    )
