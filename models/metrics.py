"""How well scores rank frauds: area under the ROC and precision-recall curves, card precision@K per day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

Labels = NDArray[np.bool_]
Scores = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class CardPrecision:
    """Card precision@K averaged over days, beside the ceiling that a perfect ranking would reach."""

    mean: float
    ceiling: float
    by_day: tuple[float, ...]


def average_precision(labels: Labels, scores: Scores) -> float:
    """Area under the precision-recall curve as the step-wise sum; 0 when there is no fraud to find."""
    return float(average_precision_score(labels, scores)) if labels.any() else 0.0


def roc_auc(labels: Labels, scores: Scores) -> float | None:
    """Probability that a fraud scores above a genuine event; None when one class is absent."""
    return float(roc_auc_score(labels, scores)) if labels.any() and not labels.all() else None


def card_precision(
    cards: NDArray[np.integer], days: NDArray[np.integer], labels: Labels, scores: Scores, k: int
) -> CardPrecision:
    """Per day, the share of compromised cards among the `k` with the highest score (each card by its highest).

    A card once found is left out of later days, as it is blocked. Fraud Detection Handbook (Le Borgne et al., 2022),
    section 4.4. All arrays have shape [n]; `cards` are codes, `days` day numbers. Ties go to the lower card code.
    """
    found: NDArray[np.integer] = np.empty(0, dtype=cards.dtype)
    precisions, ceilings = [], []
    for day in np.unique(days):
        rows = np.flatnonzero((days == day) & ~np.isin(cards, found))
        names, position = np.unique(cards[rows], return_inverse=True)
        highest = np.full(names.size, -np.inf)
        np.maximum.at(highest, position, scores[rows])
        compromised = np.zeros(names.size, dtype=np.bool_)
        np.logical_or.at(compromised, position, labels[rows])
        top = np.argsort(-highest, kind="stable")[:k]
        hits = names[top[compromised[top]]]
        precisions.append(hits.size / k)
        ceilings.append(min(int(compromised.sum()), k) / k)
        found = np.concatenate([found, hits])
    if not precisions:
        return CardPrecision(0.0, 0.0, ())
    return CardPrecision(float(np.mean(precisions)), float(np.mean(ceilings)), tuple(precisions))
