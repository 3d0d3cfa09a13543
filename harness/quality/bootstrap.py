"""95% intervals by resampling cards: whole cards are drawn with replacement, as the events of one belong together.

A cluster bootstrap (Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8), percentile
intervals. A card drawn twice counts as two cards. Everything is columns: how often each card was drawn, by replicate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.quality.cards import card_days, tie_order
from harness.quality.intervals import CONFIDENCE, UNKNOWN, Interval, percentile_interval
from harness.quality.scored import Bools, Scored, Scores

REPLICATES = 400
BLOCK_CELLS = 8_000_000
"""Replicates are worked on in blocks of about so many numbers, so that memory stays bounded."""
RECALL_GRID = np.linspace(0.02, 1.0, 50)
Weights = npt.NDArray[np.int32]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Draws:
    """`card` int64 [n]: each event's card as a row of `names`; `weights` int32 [replicates, cards]: how often it was
    drawn."""

    card: npt.NDArray[np.int64]
    names: list[str]
    weights: Weights

    @classmethod
    def of(cls, scored: Scored, seed: int, replicates: int = REPLICATES) -> "Draws":
        """Draw as many cards as there are, `replicates` times."""
        present, card = np.unique(scored.card, return_inverse=True)
        return cls.among(card, [scored.card_names[code] for code in present], seed, replicates)

    @classmethod
    def among(cls, card: npt.NDArray[np.int64], names: list[str], seed: int, replicates: int = REPLICATES) -> "Draws":
        """The same for whatever belongs together: `card` int64 [n] is each entry's place in `names`."""
        rng = np.random.default_rng(seed)
        weights = np.empty((replicates, len(names)), np.int32)
        for row in weights:
            row[:] = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        return cls(card, names, weights)

    def share(self, part: Bools, whole: Bools) -> Interval:
        """Interval of (events in `part`) / (events in `whole`); both masks are bool [n]."""
        cards = self.weights.shape[1]
        counts = np.column_stack([np.bincount(self.card[mask], minlength=cards) for mask in (part, whole)])
        sums = self.weights.astype(np.float64) @ counts
        with np.errstate(invalid="ignore", divide="ignore"):
            return percentile_interval(sums[:, 0] / sums[:, 1])

    def blocks(self, width: int) -> Iterator[slice]:
        """Replicates in blocks of about BLOCK_CELLS numbers, `width` numbers a replicate."""
        step = max(1, BLOCK_CELLS // max(1, width))
        for start in range(0, len(self.weights), step):
            yield slice(start, start + step)


def day_precisions(scored: Scored, draws: Draws, k: int) -> Scores:
    """Card precision@K by replicate and event-day, float64 [replicates, days].

    As `card_precision`: the K highest cards of a day, found ones left out afterwards; of a card drawn twice, one copy
    may be found and the other not.
    """
    days = card_days(scored, scored.score)
    ordered = np.lexsort((tie_order(scored.card_names)[days.card], -days.score, days.day))
    ordered = ordered[days.score[ordered] >= 0]
    row_of = np.zeros(len(scored.card_names), np.int64)
    row_of[scored.card] = draws.card
    calendar, starts = np.unique(days.day[ordered], return_index=True)
    parts = [(row_of[days.card[rows]], days.compromised[rows]) for rows in np.split(ordered, starts[1:]) if len(rows)]
    # a day on which nothing was ranked has a precision of 0, as in `card_precision`
    every_day = np.unique(days.day)
    found = np.zeros((len(draws.weights), len(every_day)))
    columns = np.searchsorted(every_day, calendar)
    for block in draws.blocks(max((len(cards) for cards, _ in parts), default=1)):
        left = draws.weights[block].copy()
        for column, (cards, compromised) in zip(columns, parts, strict=True):
            here = left[:, cards]
            before = np.cumsum(here, axis=1) - here
            hits = np.clip(k - before, 0, here)[:, compromised]
            left[:, cards[compromised]] -= hits
            found[block, column] = hits.sum(axis=1)
    return found / k


@dataclass(frozen=True, slots=True)
class RankedReplicates:
    """Average precision by replicate, float64 [replicates], and the curve's precision at the recalls of RECALL_GRID,
    float64 [replicates, 50]."""

    average_precision: Scores
    precision: Scores


def ranked_replicates(is_fraud: Bools, scores: Scores, draws: Draws) -> RankedReplicates | None:
    """The precision-recall curve of each replicate; None without a fraud. Ties count as ties."""
    if not is_fraud.any():
        return None
    order = np.argsort(-scores, kind="stable")
    frauds, first, ends = _fraud_ties(is_fraud[order], scores[order])
    card = draws.card[order]
    del order
    average = np.full(len(draws.weights), np.nan)
    curve = np.full((len(draws.weights), len(RECALL_GRID)), np.nan)
    for replicate, weights in enumerate(draws.weights):
        drawn = weights[card]
        steps = np.add.reduceat(drawn[frauds], first)
        found = np.cumsum(steps)
        if found[-1] == 0:
            continue
        precision = found / np.maximum(np.cumsum(drawn)[ends], 1)
        average[replicate] = steps @ precision / found[-1]
        places = np.searchsorted(found / found[-1], RECALL_GRID - 1e-12)
        curve[replicate] = precision[np.minimum(places, len(precision) - 1)]
    return RankedReplicates(average, curve)


def _fraud_ties(fraud: Bools, score: Scores) -> tuple[Rows, Rows, Rows]:
    """Of events in the order of their scores, the highest first: where the frauds are; of each tie with a fraud in it,
    which of the frauds is its first, and where it ends."""
    starts = np.diff(score, prepend=score[0]) != 0
    frauds = np.flatnonzero(fraud)
    last = np.append(np.flatnonzero(starts) - 1, len(score) - 1)
    ends = last[np.searchsorted(last, frauds)]
    ends, first = np.unique(ends, return_index=True)
    return frauds, first, ends


def resampled(scored: Scored, k: int, seed: int) -> dict[str, Any]:
    """Intervals of the headline figures, of each event-day, of each scenario's recall, and of the curve.

    Empty without events of at least two cards or without a fraud.
    """
    draws = Draws.of(scored, seed) if len(scored) else None
    ranked = None if draws is None or len(draws.names) < 2 else ranked_replicates(scored.is_fraud, scored.score, draws)
    if draws is None or ranked is None:
        return {}
    by_day = day_precisions(scored, draws, k)
    fraud, flagged = scored.is_fraud, scored.flagged
    return {
        "intervals": {
            "precision_at_k": percentile_interval(by_day.mean(axis=1)),
            "recall": draws.share(fraud & flagged, fraud),
            "precision": draws.share(fraud & flagged, flagged),
            "false_positive_rate": draws.share(~fraud & flagged, ~fraud),
            "pr_auc": percentile_interval(ranked.average_precision),
        },
        "days": [percentile_interval(column) for column in by_day.T],
        "scenarios": _by_scenario(scored, draws),
        "curve": _band(ranked.precision),
        "bootstrap": {
            "unit": "card",
            "cards": len(draws.names),
            "replicates": len(draws.weights),
            "seed": seed,
            "method": "percentile",
            "confidence": CONFIDENCE,
        },
    }


def _by_scenario(scored: Scored, draws: Draws) -> dict[str, Interval]:
    found = {}
    for code, name in enumerate(scored.scenario_names):
        chosen = scored.is_fraud & (scored.scenario == code)
        found[name] = draws.share(chosen & scored.flagged, chosen) if chosen.any() else dict(UNKNOWN)
    return found


def _band(precision: Scores) -> list[list[float]]:
    """[recall, low, high] along the curve."""
    edges: Sequence[Interval] = [percentile_interval(column) for column in precision.T]
    return [
        [float(recall), float(edge["low"]), float(edge["high"])]
        for recall, edge in zip(RECALL_GRID, edges, strict=True)
        if edge["low"] is not None and edge["high"] is not None
    ]
