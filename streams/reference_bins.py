"""Bins fitted on a reference sample, and the population stability index (PSI, CSI) of a window against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri  # scipy.stats would cost every process a second of start-up

from streams.errors import BadInputError

EPSILON = 1e-4
"""Share put in place of an empty bin's zero, so that one empty bin does not make the index infinite."""

Counts = NDArray[np.int64]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReferenceBins:
    """How a sample is counted: intervals first, then one bin for each point mass, last the bin of missing values (NaN).

    `edges` are the inner edges of right-closed intervals with infinite ends (`len(edges) + 1` intervals);
    `point_masses` are values frequent enough to be bins of their own; `counts` are the reference's own counts.
    """

    edges: tuple[float, ...]
    point_masses: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def fit(cls, values: ArrayLike, bins: int = 10) -> "ReferenceBins":
        """Fit on a reference sample (any shape, flattened), aiming at `bins` bins of equal share.

        A value that alone holds at least 1/`bins` of the known values is a point mass; what remains is cut at its
        quantiles into intervals of about the same share. Raises `BadInputError` for an empty sample or `bins` < 2.
        """
        sample = np.asarray(values, dtype=np.float64).ravel()
        if bins < 2 or sample.size == 0:
            raise BadInputError(f"reference bins need ≥ 2 bins and ≥ 1 value; got {bins} bins, {sample.size} values")
        known = sample[~np.isnan(sample)]
        masses = _point_masses(known, bins)
        spread = known[~np.isin(known, masses)]
        edges = _inner_edges(spread, max(1, round(bins * spread.size / max(known.size, 1))))
        unfilled = cls(tuple(edges.tolist()), tuple(masses.tolist()), ())
        return cls(unfilled.edges, unfilled.point_masses, tuple(unfilled.count(sample).tolist()))

    @property
    def size(self) -> int:
        """Number of bins, the one for missing values included."""
        return len(self.edges) + 1 + len(self.point_masses) + 1

    @property
    def shares(self) -> Shares:
        """The reference's share of each bin."""
        return shares(np.asarray(self.counts, dtype=np.int64))

    def count(self, values: ArrayLike) -> Counts:
        """Count a sample (any shape, flattened) into the bins: int64 of shape [size], in the order of the class."""
        sample = np.asarray(values, dtype=np.float64).ravel()
        intervals = len(self.edges) + 1
        missing = np.isnan(sample)
        index = np.searchsorted(np.asarray(self.edges, dtype=np.float64), sample, side="left")
        for offset, mass in enumerate(self.point_masses):
            index[sample == mass] = intervals + offset
        index[missing] = self.size - 1
        return np.bincount(index, minlength=self.size).astype(np.int64)

    def to_dict(self) -> dict[str, list[float] | list[int]]:
        """As plain lists, for JSON."""
        return {"edges": list(self.edges), "point_masses": list(self.point_masses), "counts": list(self.counts)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "ReferenceBins":
        """The inverse of `to_dict`. Raises `BadInputError` when keys, order of edges or number of counts are wrong."""
        try:
            edges = tuple(float(edge) for edge in stored["edges"])
            masses = tuple(float(mass) for mass in stored["point_masses"])
            counts = tuple(int(count) for count in stored["counts"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError(f"reference bins: edges, point_masses and counts are needed ({error!r})") from error
        bins = cls(edges, masses, counts)
        if len(counts) != bins.size:
            raise BadInputError(f"reference bins: {len(counts)} counts for {bins.size} bins")
        if any(low >= high for low, high in pairwise(edges)) or np.isnan(edges).any():
            raise BadInputError(f"reference bins: edges must ascend, got {list(edges)}")
        return bins


def _point_masses(known: Shares, bins: int) -> Shares:
    if known.size == 0:
        return known
    values, counts = np.unique(known, return_counts=True)
    return np.asarray(values[counts * bins >= known.size], dtype=np.float64)


def _inner_edges(spread: Shares, intervals: int) -> Shares:
    """Inner quantile edges. Linear interpolation between order statistics (type 7 of Hyndman & Fan 1996, p. 363)."""
    if spread.size == 0 or intervals < 2:
        return np.empty(0)
    return np.unique(np.quantile(spread, np.arange(1, intervals) / intervals))


def shares(counts: ArrayLike) -> Shares:
    """Counts as shares of their sum (all zero when there is nothing to share)."""
    counted = np.asarray(counts, dtype=np.float64)
    total = counted.sum()
    return counted / total if total > 0 else np.zeros_like(counted)


def psi(reference_shares: ArrayLike, window_shares: ArrayLike, epsilon: float = EPSILON) -> float:
    """Population stability index: Σ (w − r) · ln(w / r) over the bins, with empty shares raised to `epsilon`.

    Bins empty on both sides add nothing. Source: Siddiqi, Credit Risk Scorecards (2006), "system stability index".
    """
    reference = np.maximum(np.asarray(reference_shares, dtype=np.float64), epsilon)
    window = np.maximum(np.asarray(window_shares, dtype=np.float64), epsilon)
    if reference.shape != window.shape:
        raise BadInputError(f"PSI needs the same bins on both sides, got {reference.shape} and {window.shape}")
    return float(np.sum((window - reference) * np.log(window / reference)))


def psi_of(bins: ReferenceBins, counts: Sequence[int] | Counts, epsilon: float = EPSILON) -> float:
    """PSI of a window counted by `bins.count` against the reference the bins were fitted on."""
    return psi(bins.shares, shares(counts), epsilon)


def psi_threshold(bins: int, n_reference: int, n_window: int, quantile: float = 0.99) -> float:
    """The PSI that a window without any drift stays under with probability `quantile`.

    Without drift PSI ≈ (1/N + 1/M) · χ² with `bins` − 1 degrees of freedom, for N reference and M window values
    (Yurdakul & Naranjo, Statistical properties of the population stability index, Journal of Risk Model Validation
    14(4), 2020). `bins` counts the bins that hold anything. Raises `BadInputError` when an argument is out of bounds.
    """
    if bins < 2 or n_reference < 1 or n_window < 1 or not 0 < quantile < 1:
        raise BadInputError(
            "a PSI threshold needs bins ≥ 2, sample sizes ≥ 1 and a quantile between 0 and 1; "
            f"got bins {bins}, n_reference {n_reference}, n_window {n_window}, quantile {quantile}"
        )
    return float(chdtri(bins - 1, 1 - quantile)) * (1 / n_reference + 1 / n_window)
