"""Ranking quality over all thresholds: ROC AUC, average precision, the precision-recall curve. Ties count as ties."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]
POINTS_MAX = 200


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """One point a distinct score, from the highest score down: flagging everything at or above `threshold` gives it."""

    threshold: Scores
    precision: Scores
    recall: Scores


def precision_recall(is_fraud: Bools, score: Scores) -> PrecisionRecall | None:
    """The whole curve; None without a single fraud."""
    if not is_fraud.any():
        return None
    order = np.argsort(-score, kind="stable")
    ordered, hits = score[order], is_fraud[order]
    del order  # of a long run each of these is a part of what there is
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    threshold = ordered[last_of_tie]
    del ordered
    found = np.cumsum(hits)[last_of_tie]
    return PrecisionRecall(threshold, found / (last_of_tie + 1), found / found[-1])


def average_precision(is_fraud: Bools, score: Scores) -> float | None:
    """PR-AUC as Σ (recall step) · precision, without interpolation; None without a single fraud."""
    return area(precision_recall(is_fraud, score))


def area(curve: PrecisionRecall | None) -> float | None:
    """The same of a curve; None without one."""
    return None if curve is None else float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def roc_auc(is_fraud: Bools, score: Scores) -> float | None:
    """Probability that a fraud scores above a genuine event, ties half (Mann–Whitney); None if one class is absent."""
    frauds = int(is_fraud.sum())
    genuine = len(is_fraud) - frauds
    if frauds == 0 or genuine == 0:
        return None
    ordered, of_frauds = np.sort(score), score[is_fraud]
    below, up_to = (np.searchsorted(ordered, of_frauds, side=side) for side in ("left", "right"))
    middle_rank = up_to - (up_to - below - 1) / 2
    rank_sum = float(middle_rank.sum())
    return (rank_sum - frauds * (frauds + 1) / 2) / (frauds * genuine)


def thin(curve: PrecisionRecall, points: int = POINTS_MAX) -> list[tuple[float, float, float]]:
    """At most about `points` of the curve as (recall, precision, threshold), evenly spread over recall."""
    steps = np.flatnonzero(np.diff(curve.recall, prepend=0.0) > 0)
    if len(steps) > points:
        wanted = np.searchsorted(curve.recall[steps], np.linspace(0.0, 1.0, points))
        steps = steps[np.unique(np.minimum(wanted, len(steps) - 1))]
    columns = (curve.recall[steps], curve.precision[steps], curve.threshold[steps])
    return [(float(r), float(p), float(t)) for r, p, t in zip(*columns, strict=True)]
