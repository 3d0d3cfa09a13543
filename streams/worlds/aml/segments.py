"""Who the customers are: segments of people and industries of businesses, each with money and habits of its own."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.arrays import Floats


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of people. `income_usd` is the median of a month, `sigma` of its log; `cards`, `cash`, `friends` are
    factors on how often they pay so; the others are shares: `salaried` by an employer, `tenant`, `abroad` (pays over
    borders month after month), `investor` (virtual assets), `pep` (politically exposed).
    """

    name: str
    share: float
    income_usd: float
    sigma: float
    cards: float
    cash: float
    friends: float
    salaried: float
    tenant: float
    abroad: float
    investor: float
    pep: float


@dataclass(frozen=True, slots=True)
class Industry:
    """An industry. `turnover_usd` is the median of a month, `sigma` of its log; `staff` weighs how many it employs,
    `suppliers` is the mean number of usual ones; `card` and `cash` are the shares of turnover taken so; `foreign` is
    the share of its usual suppliers and clients abroad; `shells` the share of its companies that are mere shells.
    """

    name: str
    share: float
    turnover_usd: float
    sigma: float
    staff: float
    suppliers: float
    card: float
    cash: float
    foreign: float
    shells: float


SEGMENTS: tuple[Segment, ...] = (
    Segment("student", 0.13, 900, 0.35, 1.2, 0.8, 1.9, 0.5, 0.7, 0.07, 0.07, 0.0),
    Segment("worker", 0.36, 2_700, 0.35, 1.0, 1.0, 1.0, 0.9, 0.6, 0.09, 0.05, 0.001),
    Segment("family", 0.22, 4_300, 0.35, 1.3, 0.8, 1.0, 0.9, 0.35, 0.05, 0.04, 0.002),
    Segment("retired", 0.17, 2_000, 0.35, 0.6, 1.6, 0.5, 0.0, 0.35, 0.02, 0.01, 0.004),
    Segment("self_employed", 0.09, 3_800, 0.55, 1.0, 1.3, 1.1, 0.0, 0.45, 0.10, 0.07, 0.003),
    Segment("wealthy", 0.03, 14_000, 0.60, 1.6, 0.7, 1.2, 0.5, 0.1, 0.25, 0.12, 0.03),
)
INDUSTRIES: tuple[Industry, ...] = (
    Industry("retail", 0.22, 34_000, 0.6, 1.2, 4.0, 0.55, 0.25, 0.08, 0.0),
    Industry("restaurant", 0.14, 22_000, 0.5, 1.2, 3.0, 0.50, 0.35, 0.03, 0.0),
    Industry("car_dealer", 0.04, 70_000, 0.6, 0.8, 3.0, 0.15, 0.20, 0.15, 0.0),
    Industry("utility", 0.03, 120_000, 0.5, 2.0, 4.0, 0.0, 0.0, 0.03, 0.0),
    Industry("construction", 0.12, 48_000, 0.6, 1.2, 5.0, 0.0, 0.06, 0.05, 0.0),
    Industry("transport", 0.07, 30_000, 0.6, 1.0, 4.0, 0.05, 0.05, 0.15, 0.0),
    Industry("manufacturing", 0.09, 110_000, 0.7, 2.5, 6.0, 0.0, 0.0, 0.25, 0.0),
    Industry("wholesale", 0.08, 80_000, 0.7, 1.0, 6.0, 0.05, 0.05, 0.25, 0.05),
    Industry("import_export", 0.06, 75_000, 0.7, 0.6, 5.0, 0.0, 0.02, 0.70, 0.2),
    Industry("consulting", 0.08, 20_000, 0.7, 0.5, 2.5, 0.0, 0.0, 0.15, 0.2),
    Industry("real_estate", 0.05, 45_000, 0.7, 0.4, 3.0, 0.0, 0.0, 0.08, 0.15),
    Industry("holding", 0.02, 60_000, 0.9, 0.1, 2.5, 0.0, 0.0, 0.35, 0.5),
)
"""Shops come first: whoever pays by card pays one of the first `SHOPS`."""
SHOPS = 3
SEGMENT_NAMES: tuple[str, ...] = tuple(segment.name for segment in SEGMENTS)
INDUSTRY_NAMES: tuple[str, ...] = tuple(industry.name for industry in INDUSTRIES)
NAMES: tuple[str, ...] = SEGMENT_NAMES + INDUSTRY_NAMES
"""By code of the population: segments, then industries."""
BUSINESS_FROM = len(SEGMENTS)
CODE: dict[str, int] = {name: code for code, name in enumerate(NAMES)}


def trait(field: str) -> Floats:
    """Return one number of every segment, by code: float64 [segments]."""
    return np.array([getattr(segment, field) for segment in SEGMENTS], np.float64)


def industry_trait(field: str) -> Floats:
    """Return one number of every industry, by code less `BUSINESS_FROM`: float64 [industries]."""
    return np.array([getattr(industry, field) for industry in INDUSTRIES], np.float64)
