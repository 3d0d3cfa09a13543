"""Days on which a market's banks are closed: weekends, fixed holidays, and those that move with moon and weekday.

Easter is computed (Meeus, Astronomical Algorithms, 2nd ed., ch. 8), the Islamic year by the tabular calendar (civil
epoch, 30-year cycle; observation may differ by a day), the Chinese new year from a table of 2015 to 2035.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from streams.markets.market import Easter, Market, NthWeekday
from streams.markets.registry import MARKETS

EPOCH = date(1970, 1, 1)
_HIJRI_EPOCH = date(622, 7, 19)
"""Proleptic Gregorian date of 1 Muharram 1 by the civil tabular calendar (16 July 622 Julian)."""
_HIJRI_CYCLE_DAYS = 10_631
_HIJRI_LEAP_YEARS = frozenset((2, 5, 7, 10, 13, 16, 18, 21, 24, 26, 29))
_LUNAR_FROM_YEAR = 2015
_LUNAR_NEW_YEAR = (
    *(219, 208, 128, 216, 205, 125, 212, 201, 122, 210, 129),
    *(217, 206, 126, 213, 203, 123, 211, 131, 219, 208),
)
"""Month and day (MMDD) of the Chinese new year, year after year."""


def closed_days(codes: Sequence[str], first_day: int, days: int) -> NDArray[np.bool_]:
    """Whether banks are closed, bool [markets, days], from `first_day` (days since the Unix epoch) of local dates."""
    numbers = np.arange(first_day, first_day + days)
    weekday = (numbers + 3) % 7  # the epoch was a Thursday
    years = range((EPOCH + timedelta(first_day)).year, (EPOCH + timedelta(first_day + max(days - 1, 0))).year + 1)
    closed = np.stack([np.isin(weekday, MARKETS[code].weekend) for code in codes])
    for row, code in enumerate(codes):
        off = [(day - EPOCH).days - first_day for year in years for day in holidays_of(code, year)]
        closed[row, [day for day in off if 0 <= day < days]] = True
    return closed


@lru_cache(maxsize=4_096)
def holidays_of(code: str, year: int) -> frozenset[date]:
    """Every holiday of a market that falls into a year, fixed and movable, whichever weekday it is."""
    market = MARKETS[code]
    return frozenset((*_fixed(market, year), *_movable(market, year)))


def _fixed(market: Market, year: int) -> Iterator[date]:
    for month, day in (text.split("-") for text in market.holidays):
        if int(day) <= monthrange(year, int(month))[1]:  # 29 February
            yield date(year, int(month), int(day))


def _movable(market: Market, year: int) -> Iterator[date]:
    rules = market.movable
    for offset in rules.easter_offsets:
        yield easter(year, rules.easter) + timedelta(offset)
    for rule in rules.nth_weekdays:
        yield nth_weekday(year, rule)
    for day in rules.hijri:
        # an Islamic year is eleven days shorter: a date may come twice in a year, and the first falls in either
        around = (year - 622) * 33 // 32
        for hijri_year in range(around - 1, around + 3):
            found = hijri_date(hijri_year, day.month, day.day)
            if found.year == year:
                yield found
    if 0 <= year - _LUNAR_FROM_YEAR < len(_LUNAR_NEW_YEAR):
        month, first = divmod(_LUNAR_NEW_YEAR[year - _LUNAR_FROM_YEAR], 100)
        for offset in rules.lunar_new_year_offsets:
            yield date(year, month, first) + timedelta(offset)


def easter(year: int, church: Easter) -> date:
    """Easter Sunday, as a Gregorian date."""
    golden = year % 19
    if church == "orthodox":
        moon = (19 * golden + 15) % 30
        weekday = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7
        month, day = divmod(moon + weekday + 114, 31)
        return date(year, month, day + 1) + timedelta(year // 100 - year // 400 - 2)  # Julian to Gregorian
    century, rest = divmod(year, 100)
    shift = (8 * century + 13) // 25
    moon = (19 * golden + century - century // 4 - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def nth_weekday(year: int, rule: NthWeekday) -> date:
    """The nth such weekday of the month; the last one for -1."""
    if rule.nth == -1:
        last = date(year, rule.month, monthrange(year, rule.month)[1])
        return last - timedelta((last.weekday() - rule.weekday) % 7)
    first = date(year, rule.month, 1)
    return first + timedelta((rule.weekday - first.weekday()) % 7 + 7 * (rule.nth - 1))


def hijri_date(year: int, month: int, day: int) -> date:
    """A date of the tabular Islamic calendar as a Gregorian one."""
    cycle, in_cycle = divmod(year - 1, 30)
    leap_days = sum(leap <= in_cycle for leap in _HIJRI_LEAP_YEARS)
    before = cycle * _HIJRI_CYCLE_DAYS + in_cycle * 354 + leap_days + (59 * (month - 1) + 1) // 2
    return _HIJRI_EPOCH + timedelta(before + day - 1)
