"""How busy the stream is against its burn-in, weekday by weekday: paydays and holidays move what counts events."""

from collections import deque

import numpy as np
import numpy.typing as npt

from harness.drift.settings import BLOCKS_PER_DAY, BLOCKS_PER_WEEK, Settings

HORIZONS_DAYS = (1, 7, 30)
"""A surge of a day stands in features of seven or thirty days for as long, thinned: each mean tells how much."""
LULL_DAYS = 3
"""Windows that are no whole weeks reach back so far."""
LULL_MAX = 0.85
"""A day that lacks more of its events lacks hours: the feed was down, or the stream is at its end."""

VOLUME_SPREAD = 0.35
"""Spread (log) of a count over keys: a volume of v times the usual moves its distribution by ln v, and the index of a
shift by δ of a spread σ is (δ / σ)²."""
VOLUME_SHIFT = 0.15
"""A mean within 0–1 may move by this times ln v while the volume is v times the usual."""


def surge_allowance(surge: float) -> float:
    """What a volume of `surge` times the usual adds to the index of a feature that counts (0 without a surge)."""
    return float((np.log(max(1.0, surge)) / VOLUME_SPREAD) ** 2)


def rank_allowance(surge: float) -> float:
    """What a volume of `surge` times the usual moves the mean rank of a feature that counts by: a shift of δ of a
    spread σ moves it by δ / (2 √π σ), or less."""
    return float(np.log(max(1.0, surge)) / (2 * np.sqrt(np.pi) * VOLUME_SPREAD))


class Volume:
    """Counts the events of settled keys by block."""

    def __init__(self, settings: Settings) -> None:
        self._burn_in = settings.burn_in_blocks
        self._weeks = settings.burn_in_weeks
        self._present = 0
        self._blocks: deque[int] = deque(maxlen=max(self._burn_in, max(HORIZONS_DAYS) * BLOCKS_PER_DAY))
        self._closed = 0
        self._usual = np.zeros(BLOCKS_PER_WEEK)
        self._natural = 1.0
        self._surges: deque[float] = deque(maxlen=BLOCKS_PER_WEEK)
        self._lulls: deque[float] = deque(maxlen=LULL_DAYS * BLOCKS_PER_DAY)

    def take(self, events: int) -> None:
        """Count events of the present block."""
        self._present += events

    def close(self) -> tuple[float, float]:
        """The present block is over: the surge, the largest ratio to the usual volume over any horizon in the week that
        windows look back; and the lull, the smallest ratio of a day in `LULL_DAYS`. 1 in the burn-in, and a surge up to
        what it showed itself."""
        self._blocks.append(self._present)
        self._present = 0
        self._closed += 1
        if self._closed < self._burn_in:
            return 1.0, 1.0
        if self._closed == self._burn_in:
            weeks = np.asarray(self._blocks).reshape(self._weeks, BLOCKS_PER_WEEK)
            self._usual = weeks.mean(axis=0)
            self._natural = max(1.0, *(self._ratio(days) for days in HORIZONS_DAYS), self._busiest_day(weeks))
            return 1.0, 1.0
        day, *longer = (self._ratio(days) for days in HORIZONS_DAYS)
        self._surges.append(max(1.0, max(day, *longer) / self._natural))
        self._lulls.append(min(1.0, day))
        return max(self._surges), min(self._lulls)

    def _ratio(self, days: int) -> float:
        length = min(days * BLOCKS_PER_DAY, len(self._blocks))
        places = (self._closed - 1 - np.arange(length)) % BLOCKS_PER_WEEK
        usual = float(self._usual[places].sum())
        seen = sum(list(self._blocks)[-length:])
        return seen / usual if usual > 0 else 1.0

    def _busiest_day(self, weeks: npt.NDArray[np.int64]) -> float:
        days = weeks.reshape(self._weeks, 7, BLOCKS_PER_DAY).sum(axis=-1)
        usual = np.maximum(days.mean(axis=0), 1)
        return float((days / usual).max())
