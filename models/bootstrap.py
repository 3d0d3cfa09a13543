"""Bootstrap intervals of a model's measures: cards are drawn again and again, with all that happened on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 400
LEVEL = 0.95
ROWS_AT_ONCE = 4_000_000
"""Bound of a matrix of resamples by events, in elements."""
Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Events of a period with their scores: `cards` are codes, `days` day numbers, `labels` bool, `scores` floats, all
    of shape [n]; `k` cards are looked at a day, alerts are scores from `review` on."""

    cards: NDArray[np.integer]
    days: NDArray[np.integer]
    labels: NDArray[np.bool_]
    scores: NDArray[np.floating]
    k: int
    review: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Percentile interval of `LEVEL`; None on both sides where no resample had a value."""

    low: float | None
    high: float | None


def intervals(scored: Scored, seed: int, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """95% intervals of `average_precision`, `card_precision_at_k`, `alert_recall` and `alert_precision`.

    The percentile bootstrap (Efron & Tibshirani, An introduction to the bootstrap, 1993, chapter 13) over cards, since
    events of one card are not independent of each other: each resample draws as many cards as there are, with
    replacement. Drawn with `seed`: the same data, the same intervals.
    """
    names, card = np.unique(scored.cards, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[Weights]] = {}
    at_once = max(1, min(resamples, ROWS_AT_ONCE // max(1, len(scored.labels))))
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        times = rng.multinomial(len(names), np.full(len(names), 1.0 / max(1, len(names))), size=count).astype(float)
        weights = times[:, card]
        recall, precision = _alerts(scored, weights)
        found = {
            "average_precision": weighted_average_precision(scored, weights),
            "card_precision_at_k": _card_precision(scored, card, times),
            "alert_recall": recall,
            "alert_precision": precision,
        }
        for name, values in found.items():
            drawn.setdefault(name, []).append(values)
    return {name: _percentiles(np.concatenate(values)) for name, values in drawn.items()}


def _percentiles(values: Weights) -> Interval:
    known = values[~np.isnan(values)]
    if known.size == 0:
        return Interval(None, None)
    low, high = np.quantile(known, ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0))
    return Interval(float(low), float(high))


def _ratio(over: Weights, under: Weights) -> Weights:
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)


def weighted_average_precision(scored: Scored, weights: Weights) -> Weights:
    """Step-wise area under the weighted precision-recall curve, one for each row of `weights` [resamples, n]; NaN
    without any fraud."""
    order = np.argsort(-scored.scores, kind="stable")
    ordered = scored.scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    hits = np.cumsum(weights[:, order] * scored.labels[order], axis=1)[:, last]
    alerts = np.cumsum(weights[:, order], axis=1)[:, last]
    gained = np.diff(hits, axis=1, prepend=0.0)
    precision = np.divide(hits, alerts, out=np.zeros_like(hits), where=alerts > 0)
    return _ratio((gained * precision).sum(axis=1), hits[:, -1])


def _alerts(scored: Scored, weights: Weights) -> tuple[Weights, Weights]:
    """Recall and precision of the alerts, one for each row of `weights` [resamples, n]."""
    alerted = scored.scores >= scored.review
    hits = weights[:, alerted & scored.labels].sum(axis=1)
    return _ratio(hits, weights[:, scored.labels].sum(axis=1)), _ratio(hits, weights[:, alerted].sum(axis=1))


def _card_precision(scored: Scored, card: NDArray[np.intp], times: Weights) -> Weights:
    """Card precision@K averaged over days (see `models.metrics.card_precision`), one for each row of `times`
    [resamples, cards]: a card drawn m times stands for m cards, each of which leaves once it is found."""
    left = times.copy()
    days = np.unique(scored.days)
    total = np.zeros(len(times))
    for day in days:
        rows = np.flatnonzero(scored.days == day)
        here, place = np.unique(card[rows], return_inverse=True)
        highest = np.full(here.size, -np.inf)
        np.maximum.at(highest, place, scored.scores[rows])
        compromised = np.zeros(here.size, dtype=np.bool_)
        np.logical_or.at(compromised, place, scored.labels[rows])
        order = np.argsort(-highest, kind="stable")
        standing = left[:, here[order]]
        before = np.cumsum(standing, axis=1) - standing
        hits = np.clip(scored.k - before, 0.0, standing) * compromised[order]
        left[:, here[order]] -= hits
        total += hits.sum(axis=1) / scored.k
    return total / max(1, len(days))
