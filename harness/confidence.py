"""How sure a percentile is: samples it needs, its interval, and whether a limit is kept, all without a distribution.

What lies above the true quantile q among n independent samples is binomial with probability 1 − q; everything here
follows from that (David & Nagaraja, Order Statistics, 3rd edition 2003, section 7.1).
"""

import math
from dataclasses import dataclass
from typing import Literal

from scipy.special import bdtr, bdtrc, bdtrik  # scipy.stats would cost every command a second of start-up

CONFIDENCE = 0.99
SAMPLES_MAX = 2_000_000_000

Finding = Literal["kept", "broken", "undecided"]


@dataclass(frozen=True, slots=True)
class Ranks:
    """Order statistics (1 is the smallest sample) that enclose a quantile; None where the samples do not reach it."""

    low: int | None
    high: int | None


def samples_needed(q: float, over: int = 0, confidence: float = CONFIDENCE) -> int:
    """The fewest samples of which `over` may lie above a limit while "quantile q keeps the limit" is shown.

    q .99 at 99%: 459 samples with none over the limit, 662 with one (MLPerf Inference, LoadGen's early stopping,
    section "Computing the number of overlatency queries").
    """
    low, high = over + 1, over + 2
    while bdtr(over, high, 1.0 - q) > 1.0 - confidence:
        low, high = high, high * 2
        if high > SAMPLES_MAX:
            raise ValueError(f"quantile {q} with {over} over the limit needs over {SAMPLES_MAX:,} samples")
    while low < high:
        middle = (low + high) // 2
        if bdtr(over, middle, 1.0 - q) <= 1.0 - confidence:
            high = middle
        else:
            low = middle + 1
    return high


def quantile_ranks(count: int, q: float, confidence: float = CONFIDENCE) -> Ranks:
    """Ranks between which quantile q of `count` samples lies with at least `confidence`, half of the doubt on each
    side."""
    if count == 0:
        return Ranks(None, None)
    doubt = (1.0 - confidence) / 2.0
    low = math.ceil(bdtrik(doubt, count, q))
    while low > 0 and bdtr(low - 1, count, q) > doubt:
        low -= 1
    high = math.ceil(bdtrik(1.0 - doubt, count, q)) + 1
    return Ranks(low if low >= 1 else None, high if high <= count else None)


def limit_kept(count: int, over: int, q: float, confidence: float = CONFIDENCE) -> Finding:
    """Whether quantile q keeps a limit that `over` of `count` samples exceed.

    kept: were the quantile above the limit, so few over it would come with probability ≤ 1 − confidence. broken: were
    it below, so many would. undecided: the samples are too few to say.
    """
    if count and bdtr(over, count, 1.0 - q) <= 1.0 - confidence:
        return "kept"
    if over > 0 and bdtrc(over - 1, count, 1.0 - q) <= 1.0 - confidence:
        return "broken"
    return "undecided"
