"""What a ranking finds as one goes down it: precision and recall over the number of customers looked at."""

import msgspec
import numpy as np

from harness.aml.ranking import Places
from harness.aml.truth import Truth
from harness.quality.scored import Int64s, Scores

POINTS_MAX = 80


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """Of the `customers` most suspicious: the share that launders, and what share of launderers and of patterns (by any
    member) is among them."""

    customers: int
    precision: float
    customer_recall: float
    pattern_recall: float


def depths(truth: Truth, best: Scores, order: Places) -> list[Depth]:
    """The curve at most `POINTS_MAX` depths, closer together at the top, down to the last customer with a score.

    `best` float64 [customers] is where each stands, `order` all customers, the most suspicious first. Empty where there
    is no launderer or no score.
    """
    ranked = int((best >= 0).sum())
    suspicious = truth.is_suspicious
    if ranked == 0 or not suspicious.any():
        return []
    at = np.unique(np.rint(np.geomspace(1, ranked, POINTS_MAX)).astype(np.int64))
    found = np.cumsum(suspicious[order])[at - 1]
    patterns = np.searchsorted(np.sort(_first_member(truth, order)), at, side="left")
    return [
        Depth(
            customers=int(depth),
            precision=float(hits / depth),
            customer_recall=float(hits / suspicious.sum()),
            pattern_recall=float(known / len(truth.patterns)),
        )
        for depth, hits, known in zip(at, found, patterns, strict=True)
    ]


def _first_member(truth: Truth, order: Places) -> Int64s:
    """The place (from 0) of each pattern's best ranked member, int64 [patterns]."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    first = np.full(len(truth.patterns), len(order), np.int64)
    np.minimum.at(first, truth.member_pattern, place[truth.member_customer])
    return first
