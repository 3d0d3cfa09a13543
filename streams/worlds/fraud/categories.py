"""Merchant categories: how often, how much, when, and where money is spent in them."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.arrays import Floats

HOURS_PER_WEEK = 168
Peak = tuple[float, float, float]
"""Hour of the local day, width in hours, weight."""

_EVEN = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
_SHOPS = (0.9, 0.9, 0.95, 1.0, 1.25, 1.5, 0.5)
_OUT = (0.7, 0.75, 0.9, 1.0, 1.4, 1.5, 1.0)
_WORK = (1.15, 1.15, 1.15, 1.15, 1.1, 0.8, 0.6)
_DAY: tuple[Peak, ...] = ((11.0, 2.5, 1.0), (17.5, 2.5, 1.2))
_EVENING: tuple[Peak, ...] = ((13.0, 3.0, 0.6), (20.5, 2.5, 1.2))
_MEALS: tuple[Peak, ...] = ((12.7, 1.2, 1.0), (19.8, 2.0, 1.2))
_COMMUTE: tuple[Peak, ...] = ((7.8, 1.3, 1.0), (17.3, 1.8, 1.0), (22.0, 2.5, 0.4))


@dataclass(frozen=True, slots=True)
class Category:
    """One category. `share` of genuine spending events, log-normal amounts (`median_minor`, `sigma`), `online_share`
    of its events without a terminal, `follow_up` probability that the next purchase comes on the same outing.
    """

    name: str
    share: float
    median_minor: float
    sigma: float
    online_share: float
    follow_up: float
    weekdays: tuple[float, ...]
    peaks: tuple[Peak, ...]


CATEGORIES: tuple[Category, ...] = (
    Category("grocery", 0.225, 2_800, 0.75, 0.05, 0.10, _SHOPS, _DAY),
    Category("fuel", 0.06, 5_200, 0.40, 0.0, 0.06, _EVEN, _COMMUTE),
    Category("restaurant", 0.155, 2_200, 0.70, 0.10, 0.12, _OUT, _MEALS),
    Category("fashion", 0.08, 5_500, 0.75, 0.45, 0.22, _SHOPS, _DAY),
    Category("electronics", 0.035, 9_500, 1.00, 0.60, 0.12, _SHOPS, _EVENING),
    Category("health", 0.06, 2_400, 0.70, 0.15, 0.10, _WORK, _DAY),
    Category("entertainment", 0.06, 2_600, 0.75, 0.40, 0.15, _OUT, _EVENING),
    Category("transport", 0.09, 900, 0.90, 0.35, 0.10, _WORK, _COMMUTE),
    Category("travel", 0.02, 16_000, 0.85, 0.80, 0.12, _EVEN, _EVENING),
    Category("home", 0.045, 6_500, 0.90, 0.40, 0.16, _SHOPS, _DAY),
    Category("digital", 0.085, 900, 0.80, 1.0, 0.20, _EVEN, _EVENING),
    Category("cash", 0.045, 9_000, 0.60, 0.0, 0.08, _SHOPS, _DAY),
    Category("jewellery", 0.005, 18_000, 0.85, 0.30, 0.10, _SHOPS, _DAY),
    Category("transfer", 0.035, 6_000, 1.0, 1.0, 0.05, _EVEN, _EVENING),
)

CATEGORY_NAMES: tuple[str, ...] = tuple(category.name for category in CATEGORIES)
CODE: dict[str, int] = {name: code for code, name in enumerate(CATEGORY_NAMES)}
CASH = CODE["cash"]
DIGITAL = CODE["digital"]
TRANSFER = CODE["transfer"]
"""Payments from person to person: the merchant is the payee."""


def codes(*names: str) -> tuple[int, ...]:
    """Return the codes of categories, by name."""
    return tuple(CODE[name] for name in names)


def column(field: str) -> Floats:
    """Return one number of every category, in the order of codes: float64 [categories]."""
    return np.array([getattr(category, field) for category in CATEGORIES], np.float64)


def hours_of_week(first_weekday: int) -> Floats:
    """Cumulated probability of the local hour of the week, from hour 0 of `first_weekday` (Monday is 0).

    Returns float64 [categories × 168], category after category, each lifted by its code: one `searchsorted` with
    code + u draws hours for all categories at once.
    """
    return np.concatenate([code + _cumulated(category, first_weekday) for code, category in enumerate(CATEGORIES)])


def _cumulated(category: Category, first_weekday: int) -> Floats:
    hours = np.arange(24) + 0.5
    day = np.full(24, 0.015)
    for centre, width, weight in category.peaks:
        away = np.abs(hours - centre)
        day += weight / width * np.exp(-0.5 * (np.minimum(away, 24.0 - away) / width) ** 2)
    week = np.concatenate([day * category.weekdays[(first_weekday + offset) % 7] for offset in range(7)])
    cumulated = np.cumsum(week)
    result: Floats = cumulated / cumulated[-1]
    return result
