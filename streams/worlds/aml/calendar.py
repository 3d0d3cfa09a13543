"""When money moves: working days of each market and the hours of each way to pay, in local time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from streams.markets.calendar import closed_days
from streams.worlds.aml.drafts import CARD, CASH_IN, CASH_OUT, CHEQUE, INSTANT, VIRTUAL_ASSET, WIRE
from streams.worlds.aml.nations import CODE, COUNTRIES, UTC_OFFSET_H
from streams.worlds.arrays import Flags, Floats, Ints

BATCH, OFFICE, SHOP, DAY = range(4)
"""Timings: standing orders in the small hours, office hours, opening hours of shops, and whenever people are awake."""
TIMING_OF_CHANNEL = np.zeros(7, np.int64)
TIMING_OF_CHANNEL[[WIRE, CHEQUE]] = OFFICE
TIMING_OF_CHANNEL[[CARD, CASH_IN, CASH_OUT]] = SHOP
TIMING_OF_CHANNEL[[INSTANT, VIRTUAL_ASSET]] = DAY
FINEST = 512
CLOSED_DAYS_MAX = 14
WEEKS_BEFORE, DAYS = 12, 4_375
"""A calendar of twelve years; who lives on lives through them again, with the same weekdays."""
_HOURS: dict[int, tuple[tuple[float, float, float], ...]] = {
    BATCH: ((3.5, 0.8, 1.0),),
    OFFICE: ((10.5, 1.6, 1.0), (14.5, 1.8, 1.1)),
    SHOP: ((11.5, 2.2, 0.9), (17.8, 2.4, 1.2)),
    DAY: ((12.5, 3.0, 1.0), (19.5, 2.4, 1.2)),
}
"""Hour of the local day, width in hours, weight."""
_BASE = {BATCH: 0.0, OFFICE: 0.004, SHOP: 0.006, DAY: 0.012}


@dataclass(frozen=True, slots=True)
class Calendar:
    """`hours` [timings, FINEST + 1] is the local hour by quantile; `wait_days` [countries × days] the days from a day
    (counted from `first_day` of the Unix epoch) to the next on which offices work, 0 if they do that day.
    """

    hours: Floats
    wait_days: Ints
    first_day: int

    def settled(self, time_ns: Ints, country: Ints, timing: Ints) -> Ints:
        """Move instants to hours at which such payments are made there: order within a day is kept, the day too, but
        for days on which offices are closed.
        """
        offset_ns = (UTC_OFFSET_H[country] * NS_PER_HOUR).astype(np.int64)
        local = time_ns + offset_ns
        day, rest = np.divmod(local, NS_PER_DAY)
        place = rest * (FINEST / NS_PER_DAY)
        slot = place.astype(np.int64)
        below = timing * (FINEST + 1) + slot
        flat = self.hours.ravel()
        hour = flat[below] + (flat[below + 1] - flat[below]) * (place - slot)
        at = (day - self.first_day) % DAYS
        day = day + np.where(timing <= OFFICE, self.wait_days[country * DAYS + at], 0)
        result: Ints = day * NS_PER_DAY + (hour * NS_PER_HOUR).astype(np.int64) - offset_ns
        return result


def open_calendar(codes: Sequence[str], start_ns: int) -> Calendar:
    """Lay out the markets' working days from some weeks before the start on."""
    first = start_ns // NS_PER_DAY - 7 * WEEKS_BEFORE
    wait = np.zeros((len(COUNTRIES), DAYS), np.int64)
    wait[[CODE[code] for code in codes]] = _wait_days(closed_days(codes, first, DAYS))
    hours = np.stack([_quantiles(timing) for timing in (BATCH, OFFICE, SHOP, DAY)])
    return Calendar(hours, wait.ravel(), int(first))


def _wait_days(closed: Flags) -> Ints:
    """Days until the next open one, int64 [markets, days]."""
    wait = np.zeros(closed.shape, np.int64)
    for _ in range(CLOSED_DAYS_MAX):
        wait = np.where(closed, 1 + np.roll(wait, -1, axis=1), 0)
    return wait


def _quantiles(timing: int) -> Floats:
    grid = (np.arange(2_400) + 0.5) / 100
    density = np.full(len(grid), _BASE[timing])
    for centre, width, weight in _HOURS[timing]:
        density += weight / width * np.exp(-0.5 * ((grid - centre) / width) ** 2) / 3
    cumulated = np.concatenate(([0.0], np.cumsum(density)))
    result: Floats = np.interp(np.linspace(0, 1, FINEST + 1), cumulated / cumulated[-1], np.arange(2_401) / 100)
    return result


def month_of(time_ns: int) -> int:
    """Month of an instant, 0 to 11."""
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).month - 1
