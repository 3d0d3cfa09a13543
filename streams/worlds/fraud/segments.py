"""Segments of customers: who is young, who has a family, who is retired; each spends in a way of its own."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.arrays import Floats
from streams.worlds.fraud.categories import CATEGORY_NAMES


@dataclass(frozen=True, slots=True)
class Segment:
    """A kind of customer. `share` of customers; `log_wealth` is added to the log of amounts; `busyness`, `online` and
    `tastes` (by category) are factors on the means of all; `hour_shift` moves the day by hours; `wallet` is the share
    that pays by phone; `household` the share that lives with another customer.
    """

    name: str
    share: float
    log_wealth: float
    busyness: float
    online: float
    hour_shift: float
    wallet: float
    household: float
    tastes: dict[str, float]


SEGMENTS: tuple[Segment, ...] = (
    Segment("student", 0.14, -0.40, 1.0, 1.30, 1.4, 0.70, 0.2,
            {"digital": 1.9, "entertainment": 1.6, "transport": 1.5, "restaurant": 1.3, "home": 0.4, "fuel": 0.4}),
    Segment("worker", 0.36, 0.0, 1.05, 1.0, 0.0, 0.45, 0.3, {"restaurant": 1.15, "fuel": 1.2, "transport": 1.1}),
    Segment("family", 0.24, 0.12, 1.15, 1.1, -0.3, 0.40, 0.8,
            {"grocery": 1.35, "home": 1.4, "fashion": 1.2, "health": 1.2, "restaurant": 0.8}),
    Segment("retired", 0.18, -0.05, 0.75, 0.55, -1.3, 0.12, 0.5,
            {"health": 1.8, "cash": 1.7, "grocery": 1.2, "digital": 0.35, "entertainment": 0.6, "transport": 0.7}),
    Segment("business", 0.08, 0.55, 1.15, 1.1, 0.2, 0.50, 0.2,
            {"travel": 3.0, "restaurant": 1.4, "fuel": 1.4, "electronics": 1.5, "transfer": 1.5}),
)  # fmt: skip
SEGMENT_NAMES: tuple[str, ...] = tuple(segment.name for segment in SEGMENTS)
RETIRED = SEGMENT_NAMES.index("retired")


def trait(field: str) -> Floats:
    """Return one number of every segment, in the order of codes: float64 [segments]."""
    return np.array([getattr(segment, field) for segment in SEGMENTS], np.float64)


def taste_factors() -> Floats:
    """Return how much more or less each segment likes each category: float64 [segments, categories]."""
    return np.array([[segment.tastes.get(name, 1.0) for name in CATEGORY_NAMES] for segment in SEGMENTS])
