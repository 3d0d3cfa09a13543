"""How far a measured share may be from the true one: 95% intervals."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
NORMAL_QUANTILE = 1.959963984540054
"""The standard normal's 97.5% point."""

Interval = dict[str, float | None]
"""`low` and `high`; both None where nothing was measured."""
UNKNOWN: Interval = {"low": None, "high": None}


def wilson(part: int | float, whole: int | float) -> Interval:
    """The score interval of a binomial share (Wilson, Probable inference, JASA 22, 1927, p. 209–212).

    Takes events as independent; those of one card are not, so for them it is on the narrow side.
    """
    if whole <= 0:
        return dict(UNKNOWN)
    z2 = NORMAL_QUANTILE**2
    share = part / whole
    centre = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = NORMAL_QUANTILE / (1 + z2 / whole) * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole**2))
    # at the ends the formula gives exactly 0 and 1, but for the last bit
    low = 0.0 if part == 0 else max(0.0, centre - half)
    return {"low": low, "high": 1.0 if part == whole else min(1.0, centre + half)}


def percentile_interval(replicates: npt.NDArray[np.floating[Any]]) -> Interval:
    """The middle 95% of bootstrap replicates (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13).

    Replicates in which the measure is undefined (NaN) are left out.
    """
    known = replicates[~np.isnan(replicates)]
    if known.size == 0:
        return dict(UNKNOWN)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, (tail, 1 - tail))
    return {"low": float(low), "high": float(high)}


def apart(one: Interval, other: Interval) -> bool | None:
    """Whether two intervals do not overlap; None where one is unknown."""
    ends = (one["low"], one["high"], other["low"], other["high"])
    if any(end is None for end in ends):
        return None
    low, high, other_low, other_high = (float(end or 0.0) for end in ends)
    return high < other_low or other_high < low
