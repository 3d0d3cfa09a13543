"""What a feature's value is compared with in a reason: how usual it was in training, in a few words."""

import math
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate

from models.features.catalog import Feature
from streams.reference_bins import ReferenceBins

USUAL = 0.5
"""A bound says something of a value when at least this share of all lies on its other side."""

Words = Callable[[float], str]


class Comparison:
    """One feature's reference, counted from its bins in the bundle (`ReferenceBins`): only shares the bins hold exactly
    are told.

    A bin's edge divides exactly, and so does a value frequent enough to be a bin of its own. Missing values are not
    counted among all.
    """

    __slots__ = ("_bounds", "_feature", "_known", "_masses", "_missing", "_up_to")

    def __init__(self, feature: Feature, bins: ReferenceBins) -> None:
        self._feature = feature
        intervals = len(bins.edges) + 1
        self._masses = dict(zip(bins.point_masses, bins.counts[intervals:-1], strict=True))
        self._missing = bins.counts[-1]
        self._known = sum(bins.counts) - self._missing
        self._bounds = bins.edges
        below = list(accumulate(bins.counts[: intervals - 1]))
        self._up_to = [
            count + sum(held for mass, held in self._masses.items() if mass <= edge)
            for edge, count in zip(bins.edges, below, strict=True)
        ]

    def of_missing(self) -> str:
        """How often the value is known: ' (known for 83% of all)', or nothing where the reference is empty."""
        total = self._known + self._missing
        return f" (known for {_share(self._known, total)} of all)" if total and self._known else ""

    def of(self, value: float, words: Words) -> str:
        """What stands behind a known value in its sentence, such as ' (90% of all are at most 120.00)'; nothing where
        the reference tells nothing. `words` writes a number with the feature's unit."""
        if self._known == 0:
            return ""
        if self._feature.kind != "number":
            count = self._held(value)
            return "" if count is None else f" ({_share(count, self._known)} of all)"
        if value in self._masses and self._masses[value] >= 0.1 * self._known:
            return f" (as for {_share(self._masses[value], self._known)} of all)"
        return "" if self._feature.unit == "h" else self._beside_bound(value, words)  # a time of day has no order

    def _held(self, value: float) -> int | None:
        """How many have this flag or category, if the bins tell."""
        if value in self._masses:
            return self._masses[value]
        if self._feature.kind == "flag" and len(self._masses) == 1 and 1.0 - value in self._masses:
            return self._known - self._masses[1.0 - value]
        return None

    def _beside_bound(self, value: float, words: Words) -> str:
        at = bisect_left(self._bounds, value)
        below = self._up_to[at - 1] if at > 0 else 0
        above = self._known - self._up_to[at] if at < len(self._bounds) else 0
        if at > 0 and below >= USUAL * self._known:
            return f" ({_share(below, self._known)} of all are at most {words(self._bound(at - 1))})"
        if at < len(self._bounds) and above >= USUAL * self._known:
            return f" ({_share(above, self._known)} of all are above {words(self._bound(at))})"
        mass = max(self._masses, key=lambda each: self._masses[each], default=None)
        if mass is not None and self._masses[mass] >= USUAL * self._known:
            return f" ({words(mass)} for {_share(self._masses[mass], self._known)} of all)"
        return ""

    def _bound(self, at: int) -> float:
        bound = self._bounds[at]
        return math.floor(bound) if self._feature.unit == "transactions" else bound  # nothing lies between two counts


def _share(count: int, total: int) -> str:
    percent = 100 * count / total
    if 0 < percent < 1:
        return "less than 1%"
    if 99 < percent < 100:
        return "more than 99%"
    return f"{percent:.0f}%"
