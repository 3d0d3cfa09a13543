"""Bootstrap intervals of a model's measures: cards are drawn again and again, with all that happened on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.kernels.compiled import compiled

RESAMPLES = 400
LEVEL = 0.95
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
    times = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1.0 / max(1, len(names))), size=resamples
    )
    drawn = times.astype(np.float64)
    recall, precision = _alerts(scored, card, drawn)
    found = {
        "average_precision": weighted_average_precision(scored, card, drawn),
        "card_precision_at_k": _card_precision(scored, card, drawn),
        "alert_recall": recall,
        "alert_precision": precision,
    }
    return {name: _percentiles(values) for name, values in found.items()}


def _percentiles(values: Weights) -> Interval:
    known = values[~np.isnan(values)]
    if known.size == 0:
        return Interval(None, None)
    low, high = np.quantile(known, ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0))
    return Interval(float(low), float(high))


def _ratio(over: Weights, under: Weights) -> Weights:
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)


def weighted_average_precision(scored: Scored, card: NDArray[np.intp], times: Weights) -> Weights:
    """Step-wise area under the precision-recall curve, one for each row of `times` [resamples, cards], which says how
    often each card counts; `card` [n] is each event's place among them. NaN without any fraud."""
    order = np.argsort(-scored.scores, kind="stable")
    ordered = scored.scores[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    found = np.empty(len(times))
    _average_precisions(times, card[order], np.asarray(scored.labels[order], np.bool_), last, found)
    return found


@compiled
def _average_precisions(
    times: Weights, card: NDArray[np.intp], labels: NDArray[np.bool_], last: NDArray[np.bool_], found: Weights
) -> None:
    """Into `found` [resamples]; events from the highest score down, `last` marks the last one of each score."""
    for row in range(len(times)):
        hits = alerts = before = area = 0.0
        for event in range(len(card)):
            weight = times[row, card[event]]
            alerts += weight
            if labels[event]:
                hits += weight
            if last[event] and alerts > 0:
                area += (hits - before) * hits / alerts
                before = hits
        found[row] = area / hits if hits > 0 else np.nan


def _alerts(scored: Scored, card: NDArray[np.intp], times: Weights) -> tuple[Weights, Weights]:
    """Recall and precision of the alerts, one for each row of `times` [resamples, cards]."""
    alerted, cards = scored.scores >= scored.review, times.shape[1]
    hits = times @ np.bincount(card, alerted & scored.labels, cards)
    frauds, alerts = (times @ np.bincount(card, rows, cards) for rows in (scored.labels, alerted))
    return _ratio(hits, frauds), _ratio(hits, alerts)


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
