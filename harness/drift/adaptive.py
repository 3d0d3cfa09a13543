"""ADWIN over one quantity: a window that grows while its mean holds, and is cut where it does not.

Bifet & Gavaldà, Learning from time-changing data with adaptive windowing (SDM 2007); river's implementation. Its bound
is for independent values. Those of a stream are not, so the season is taken out first, the sensitivity is lowered until
the burn-in raises nothing, and a cut is an alarm only where the mean left what days of the burn-in had.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.drift.season import Season
from harness.drift.settings import Settings
from harness.drift.volume import VOLUME_SHIFT
from streams.labels import NS_PER_DAY

if TYPE_CHECKING:
    from river.drift import ADWIN

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
EVENTS_A_STEP = 8
"""Means of so many events are fed: an eighth of the calls, and the same mean."""
EVENTS_A_LOOK = 256
RARE = 0.05
STEP_MAX = 512
HITS_MAX = 5.0
"""ADWIN's bound is for values that fill 0–1. Of something rarer than `RARE`, a step is as many events as show it once
on average, and its value the number of hits over this (more count as this)."""
DELTA, DELTA_MIN, DELTA_STEP = 1e-3, 1e-12, 1e-2
DAY_SPREADS = 4.0


@dataclass(frozen=True, slots=True)
class Shift:
    """The mean after a cut, the usual one, and how far from it is still no alarm."""

    mean: float
    usual: float
    allowed: float


def _adwin(delta: float, step: int) -> "ADWIN":
    from river.drift import ADWIN  # noqa: PLC0415 - slow to import

    return ADWIN(delta=delta, clock=max(1, EVENTS_A_LOOK // step))


class AdaptiveMean:
    """ADWIN over values in 0–1 of a stream; `shift_min` is the least change of the mean that matters."""

    def __init__(self, shift_min: float, settings: Settings) -> None:
        self._shift_min = shift_min
        self._burn_in_ns = settings.burn_in_ns
        self._events_min = settings.events_min
        self._kept: list[tuple[Int64s, Floats]] = []
        self._season: Season | None = None
        self._day_spread = 0.0
        self._events_a_day = 1.0
        self._step, self._scale = EVENTS_A_STEP, 1.0
        self._usual = 0.0
        self._adwin = _adwin(DELTA, EVENTS_A_STEP)
        self._rest = np.zeros(0)
        self._is_cut = False

    def take(self, event_time_ns: Int64s, values: Floats) -> None:
        """Values of events in their order."""
        if self._season is None:
            self._kept.append((event_time_ns, values))
        else:
            self._feed(self._season.without(event_time_ns, values))

    def close(self, event_time_ns: int, surge: float) -> Shift | None:
        """A block is over: the shift, while a cut window's mean is out of bounds."""
        if self._season is None:
            self._end_burn_in(event_time_ns)
            return None
        if not self._is_cut or self._adwin.width * self._step < self._events_min:
            return None
        mean = float(self._adwin.estimation) / self._scale
        days = max(1.0, self._adwin.width * self._step / self._events_a_day)
        allowed = max(self._shift_min, self._day_spread / float(np.sqrt(days))) + VOLUME_SHIFT * float(np.log(surge))
        if abs(mean - self._usual) <= allowed:
            return None
        return Shift(mean, self._usual, allowed)

    def _end_burn_in(self, event_time_ns: int) -> None:
        began = min((int(times[0]) for times, _ in self._kept if len(times)), default=event_time_ns)
        enough = sum(len(times) for times, _ in self._kept) >= self._events_min
        # a day's grace: a stream hardly begins at midnight
        if enough and event_time_ns - began >= self._burn_in_ns - NS_PER_DAY:
            self._learn()

    def _learn(self) -> None:
        times = np.concatenate([times for times, _ in self._kept])
        values = np.concatenate([values for _, values in self._kept])
        self._kept = []
        self._season = Season.of(times, values)
        level = self._season.without(times, values)
        self._usual = float(level.mean())
        if self._usual < RARE:
            self._step = int(np.clip(round(1 / max(self._usual, 1e-9)), EVENTS_A_STEP, STEP_MAX))
            self._scale = self._step / HITS_MAX
        days = times // NS_PER_DAY
        counts = np.bincount(days - days.min())
        daily = (np.bincount(days - days.min(), weights=level) / np.maximum(counts, 1))[counts * 2 > counts.max()]
        self._day_spread = DAY_SPREADS * float(daily.std())
        self._events_a_day = len(times) / max(1, len(counts))
        delta = DELTA
        while True:
            self._adwin, self._is_cut, self._rest = _adwin(delta, self._step), False, np.zeros(0)
            self._feed(level)
            if not self._is_cut or delta <= DELTA_MIN:
                break
            delta = max(DELTA_MIN, delta * DELTA_STEP)
        self._is_cut = False

    def _feed(self, values: Floats) -> None:
        joined = np.concatenate([self._rest, values])
        whole = len(joined) - len(joined) % self._step
        self._rest = joined[whole:]
        adwin = self._adwin
        steps = np.minimum(joined[:whole].reshape(-1, self._step).mean(axis=1) * self._scale, 1.0)
        for step in steps.tolist():
            adwin.update(step)
            if adwin.drift_detected:
                self._is_cut = True
