"""Where review and block begin: points of the precision-recall curve, for a budget of alerts or a matrix of costs."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Thresholds
from models.cost import CostMatrix, cheapest
from streams.errors import BadInputError

Z_95 = 1.959963984540054
"""The normal deviation of a two-sided 95% interval."""


@dataclass(frozen=True, slots=True)
class AlertBudget:
    """How many events may be alerted (reviewed or blocked): a share of all events, or a number a day when given.

    `block_precision` is what a block needs: the event's own score (its probability) reaches it, and so does, beyond
    doubt, the precision of all blocks together (the lower end of its 95% interval, Wilson). The default blocks where
    fraud is for certain likelier than not, which takes at least four alerts that were all fraud.
    """

    review_share: float = 0.01
    alerts_per_day: float | None = None
    block_precision: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.review_share <= 1:
            raise BadInputError(f"review share must be over 0 and at most 1, got {self.review_share}")
        if self.alerts_per_day is not None and self.alerts_per_day < 1:
            raise BadInputError(f"alert budget per day must be at least 1, got {self.alerts_per_day}")
        if not 0 < self.block_precision < 1:
            raise BadInputError(f"block precision must be over 0 and below 1, got {self.block_precision}")

    def alerts(self, events: int, days: float) -> int:
        """How many alerts the budget allows among `events` events of `days` days."""
        allowed = self.review_share * events if self.alerts_per_day is None else self.alerts_per_day * days
        return max(1, int(allowed))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Scored events: `labels` bool, `scores` float64, `amounts` float64 (money), all of shape [n], from `days` days."""

    labels: NDArray[np.bool_]
    scores: NDArray[np.float64]
    amounts: NDArray[np.float64]
    days: float


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """The curve, from the highest score down: row i describes alerting every event with score ≥ `score[i]`."""

    score: NDArray[np.float64]
    alerts: NDArray[np.int64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """The thresholds, what they give on the events they were chosen on, and the rule that chose them (JSON-ready)."""

    thresholds: Thresholds
    alerts: int
    precision: float
    recall: float
    block_alerts: int
    block_precision: float
    rule: dict[str, Any]


def precision_recall(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> PrecisionRecall:
    """The precision-recall curve over the distinct scores; both arrays of shape [n], n ≥ 1."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    hits = np.cumsum(labels[order])
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    alerts = (last + 1).astype(np.int64)
    found = hits[last].astype(np.float64)
    return PrecisionRecall(ordered[last], alerts, found / alerts, found / max(1, int(labels.sum())))


def wilson_low(precision: NDArray[np.float64], alerts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Lower end of the 95% interval of shares of `alerts` trials (Wilson, Journal of the American Statistical
    Association 22, 1927, p. 210)."""
    square = Z_95 * Z_95
    spread = Z_95 * np.sqrt(precision * (1.0 - precision) / alerts + square / (4.0 * alerts * alerts))
    return np.asarray((precision + square / (2.0 * alerts) - spread) / (1.0 + square / alerts), dtype=np.float64)


def choose_thresholds(events: Outcomes, budget: AlertBudget, cost: CostMatrix | None = None) -> ThresholdChoice:
    """With `cost`, the thresholds of the lowest total cost; else by the budget.

    By the budget, review begins at the lowest score whose alerts keep within it (recall only grows as the score falls,
    so that is the highest recall the budget allows), block at the lowest score at or above it that is sure enough (see
    `AlertBudget`).

    A threshold that nothing justifies is 1: no score reaches it. Raises `BadInputError` when there is no event.
    """
    if events.scores.size == 0:
        raise BadInputError("thresholds need at least one validation event, got none")
    if cost is not None:
        found = cheapest(events.labels, events.scores, events.amounts, cost)
        rule = {"rule": "cost", **asdict(cost), **found.figures(events.days)}
        return describe_choice(events, Thresholds(found.review, found.block), rule)
    curve = precision_recall(events.labels, events.scores)
    allowed = budget.alerts(events.scores.size, events.days)
    review = max(0, int(np.searchsorted(curve.alerts, allowed, side="right")) - 1)
    shown = wilson_low(curve.precision, curve.alerts) >= budget.block_precision
    sure = np.flatnonzero((shown & (curve.score >= budget.block_precision))[: review + 1])
    block = float(curve.score[sure[-1]]) if sure.size else 1.0
    rule = {"rule": "budget", **asdict(budget), "alerts_allowed": allowed}
    return describe_choice(events, Thresholds(float(curve.score[review]), block), rule)


def describe_choice(events: Outcomes, thresholds: Thresholds, rule: dict[str, Any]) -> ThresholdChoice:
    """What thresholds give on `events`."""
    alerted, blocked = events.scores >= thresholds.review, events.scores >= thresholds.block
    frauds = int(events.labels.sum())
    hits, blocked_hits = int((alerted & events.labels).sum()), int((blocked & events.labels).sum())
    return ThresholdChoice(
        thresholds,
        alerts=int(alerted.sum()),
        precision=_share(hits, int(alerted.sum())),
        recall=_share(hits, frauds),
        block_alerts=int(blocked.sum()),
        block_precision=_share(blocked_hits, int(blocked.sum())),
        rule=rule,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
