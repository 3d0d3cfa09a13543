"""Areas under the ROC curve that forgive nothing: either direction, missing values at either end, categories."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.integer]

SMOOTHING_EVENTS = 20.0
"""A category's fraud rate is pulled towards the overall rate as if this many events had been seen at that rate."""
BINS = 32


def auc(values: NDArray[np.floating], positive: Flags) -> float:
    """Probability that a positive's value is above a negative's, ties half (Mann & Whitney 1947); 0.5 without both."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return 0.5
    ranks = rankdata(values)
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def free_auc(values: NDArray[np.floating], positive: Flags) -> float:
    """The AUC whichever way round, with missing values (NaN) all below or all above the rest: the largest, ≥ 0.5."""
    missing = np.isnan(values)
    ends = (-np.inf, np.inf) if missing.any() else (0.0,)
    found = (auc(np.where(missing, end, values), positive) for end in ends)
    return max(max(area, 1.0 - area) for area in found)


def free_auc_against(negatives: NDArray[np.floating], groups: Sequence[NDArray[np.floating]]) -> list[float]:
    """`free_auc` of each group of positives against the same negatives, sorted once; 0.5 where either is empty."""
    known = np.sort(negatives[~np.isnan(negatives)])
    absent, count = len(negatives) - len(known), len(negatives)
    found = []
    for group in groups:
        here = group[~np.isnan(group)]
        if not count or not len(group):
            found.append(0.5)
            continue
        wins = float((np.searchsorted(known, here, "left") + np.searchsorted(known, here, "right")).sum()) / 2
        ties = (len(group) - len(here)) * absent / 2
        below, above = wins + ties + len(here) * absent, wins + ties + (len(group) - len(here)) * len(known)
        areas = [below / (count * len(group)), above / (count * len(group))]
        found.append(max(max(area, 1.0 - area) for area in areas))
    return found


def auc_error(positives: int, negatives: int, area: float = 0.5) -> float:
    """Standard error of an AUC of `area` (Hanley & McNeil 1982, Radiology 143, equation 1); infinite without both."""
    if not positives or not negatives:
        return float("inf")
    q1, q2 = area / (2.0 - area), 2.0 * area**2 / (1.0 + area)
    spread = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    return float(np.sqrt(spread / (positives * negatives)))


def rates(codes: Codes, positive: Flags, fitted: Flags) -> Floats:
    """Each row's category as its rate of positives, learnt from the rows `fitted`: float64 [n].

    `codes` are int ≥ 0. A category that was not seen there gets the overall rate.
    """
    size = int(codes.max(initial=0)) + 1
    seen = np.bincount(codes[fitted], minlength=size)
    hits = np.bincount(codes[fitted], weights=positive[fitted].astype(np.float64), minlength=size)
    overall = float(positive[fitted].mean()) if fitted.any() else 0.0
    rate: Floats = ((hits + SMOOTHING_EVENTS * overall) / (seen + SMOOTHING_EVENTS))[codes]
    return rate


def rate_auc(codes: Codes, positive: Flags, first: Flags) -> float:
    """AUC of a category's rate of positives, learnt on the rows `first` and measured on the others."""
    return auc(rates(codes, positive, first)[~first], positive[~first])


def bins(values: NDArray[np.floating], count: int = BINS) -> NDArray[np.int64]:
    """Values in `count` bins of about equal numbers, ties together, missing ones in a bin of their own."""
    missing = np.isnan(values)
    known = values[~missing]
    if not known.size:
        return np.zeros(len(values), np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, count + 1)[1:-1], method="lower"))
    return np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="right")).astype(np.int64)


def within_auc(values: NDArray[np.floating], positive: Flags, strata: Codes) -> float:
    """AUC of pairs from the same stratum only: what `values` tell beyond what the stratum says."""
    wins, pairs = 0.0, 0.0
    order = np.argsort(strata, kind="stable")
    cuts = np.flatnonzero(np.diff(strata[order])) + 1
    for rows in np.split(order, cuts):
        positives = int(positive[rows].sum())
        weight = float(positives) * (len(rows) - positives)
        if weight:
            wins += weight * auc(values[rows], positive[rows])
            pairs += weight
    return wins / pairs if pairs else 0.5
