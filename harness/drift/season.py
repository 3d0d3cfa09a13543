"""What a quantity usually is at an hour of a weekday or of a weekend day, so that night and day are no drift."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streams.labels import NS_PER_DAY, NS_PER_HOUR

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
HOURS = ("hour", "is_night", "hour_local", "is_night_local")
CALENDAR = (*HOURS, "is_weekend", "is_weekend_local")
"""Features that say when an event happened, and nothing else: of cards, and of transfers."""
CELLS = 48
EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday (Monday is 0)."""
STEADY = 50
"""A cell's mean counts as much as that of so many events of the whole: few events at night do not decide."""


def cells(event_time_ns: Int64s) -> Int64s:
    """Hour of the day (UTC), and 24 more on Saturday and Sunday."""
    weekend = (event_time_ns // NS_PER_DAY + EPOCH_WEEKDAY) % 7 >= 5
    return (event_time_ns % NS_PER_DAY) // NS_PER_HOUR + 24 * weekend.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Season:
    """Mean of each cell, float64 [48], and of all."""

    means: Floats
    mean: float

    @classmethod
    def of(cls, event_time_ns: Int64s, values: Floats) -> "Season":
        """From the values of some weeks."""
        cell = cells(event_time_ns)
        counts = np.bincount(cell, minlength=CELLS)
        mean = float(values.mean()) if len(values) else 0.0
        sums = np.bincount(cell, weights=values, minlength=CELLS)
        return cls((sums + STEADY * mean) / (counts + STEADY), mean)

    def without(self, event_time_ns: Int64s, values: Floats) -> Floats:
        """The values less what their hour usually adds, kept within 0–1."""
        return np.clip(values - self.means[cells(event_time_ns)] + self.mean, 0.0, 1.0)
