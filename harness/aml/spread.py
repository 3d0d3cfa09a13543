"""95% intervals of precision, lift and PR-AUC by drawing customers anew, those of shared patterns together.

A cluster bootstrap as for cards (`harness.quality.bootstrap`): launderers of one pattern are one story, so the unit is
a connected component of customers and patterns; an innocent customer is one of its own. A customer drawn twice
counts as two, and takes two places of a worklist.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from harness.aml.ranking import CustomerScores, Places, Ranking, day_end_ns, days_of
from harness.aml.truth import Truth
from harness.quality.bootstrap import REPLICATES, Draws
from harness.quality.scored import Int64s, Scores

Counts = npt.NDArray[np.int64]


def circles(truth: Truth) -> Int64s:
    """Each customer's connected component, int64 [customers]: linked by patterns with members in common."""
    customers, patterns = len(truth), len(truth.patterns)
    links = coo_matrix(
        (np.ones(len(truth.member_pattern)), (truth.member_customer, customers + truth.member_pattern)),
        shape=(customers + patterns, customers + patterns),
    )
    _, component = connected_components(links, directed=False)
    return np.unique(component[:customers], return_inverse=True)[1].astype(np.int64)


def draw_customers(truth: Truth, seed: int, replicates: int = REPLICATES) -> Draws:
    """Draw components; `card` of the draws is each customer's component."""
    component = circles(truth)
    names = [str(number) for number in range(int(component.max(initial=-1)) + 1)]
    return Draws.among(component, names, seed, replicates)


def budget_replicates(truth: Truth, best: Scores, order: Places, part: float, draws: Draws) -> tuple[Scores, Scores]:
    """Precision and lift among the `part` most suspicious, float64 [replicates] each; `order` ranks all customers."""
    precision, lift = (np.full(len(draws.weights), np.nan) for _ in range(2))
    suspicious = truth.is_suspicious
    ranked = order[best[order] >= 0]
    for block in draws.blocks(len(truth)):
        weights = draws.weights[block][:, draws.card].astype(np.int64)
        whole, wanted = weights.sum(axis=1), weights[:, suspicious].sum(axis=1)
        taken = _take(weights[:, ranked], np.ceil(part * whole).astype(np.int64))
        found = taken[:, suspicious[ranked]].sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision[block] = found / taken.sum(axis=1)
            lift[block] = precision[block] / (wanted / whole)
    return precision, lift


def _take(there: Counts, k: Counts) -> Counts:
    """How many of each (in order of rank) are among the first `k` [replicates]; `there` is [replicates, ranked]."""
    before = np.cumsum(there, axis=1) - there
    return np.clip(k[:, None] - before, 0, there)


def worklist_replicates(scores: CustomerScores, truth: Truth, k: int, draws: Draws) -> tuple[Scores, Scores]:
    """Precision and lift of the worklists, float64 [replicates] each: those of `worklists.work` of each drawing."""
    days = list(_ranked_days(scores, truth))
    precision, lift = (np.full(len(draws.weights), np.nan) for _ in range(2))
    for block in draws.blocks(len(truth)):
        left = draws.weights[block][:, draws.card].astype(np.int64)
        listed, found, at_random = (np.zeros(len(left)) for _ in range(3))
        for order, begun in days:
            taken, width = _first_copies(left, order, k)
            chosen = order[:width]
            places = taken.sum(axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                base = np.nan_to_num(left[:, begun].sum(axis=1) / left.sum(axis=1))
            at_random += places * base
            listed += places
            found += taken[:, np.isin(chosen, begun)].sum(axis=1)
            left[:, chosen] -= taken
        with np.errstate(invalid="ignore", divide="ignore"):
            precision[block], lift[block] = found / listed, found / at_random
    lift[~np.isfinite(lift)] = np.nan
    return precision, lift


def _ranked_days(scores: CustomerScores, truth: Truth) -> Iterator[tuple[Places, Places]]:
    """Per event-day, everybody ranked so far in order, and who has taken part in laundering by then."""
    ranking = Ranking(scores, truth)
    for day in days_of(truth):
        ranking.advance(day)
        yield ranking.order(), np.flatnonzero(truth.suspicious_by(day_end_ns(day)))


def _first_copies(left: Counts, order: Places, k: int) -> tuple[Counts, int]:
    """The first `k` copies still there in each replicate, [replicates, width]: only as many ranked customers are looked
    at as it takes."""
    width = min(len(order), 4 * k + 16)
    while True:
        there = left[:, order[:width]]
        if width == len(order) or (there.sum(axis=1) >= k).all():
            return _take(there, np.full(len(left), k)), width
        width = min(len(order), 2 * width)
