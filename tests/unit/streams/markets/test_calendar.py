"""Days on which banks are closed, against dates that calendars print."""

from datetime import date

import numpy as np
import pytest

from streams.markets import MARKETS
from streams.markets.calendar import EPOCH, closed_days, easter, hijri_date, holidays_of


@pytest.mark.parametrize(
    ("year", "western", "orthodox"),
    [
        (2019, (4, 21), (4, 28)),
        (2021, (4, 4), (5, 2)),
        (2024, (3, 31), (5, 5)),
        (2025, (4, 20), (4, 20)),
        (2038, (4, 25), (4, 25)),
    ],
)
def test_easter(year: int, western: tuple[int, int], orthodox: tuple[int, int]) -> None:
    assert easter(year, "western") == date(year, *western)
    assert easter(year, "orthodox") == date(year, *orthodox)


@pytest.mark.parametrize(
    ("year", "month", "day", "observed"),
    [(1445, 10, 1, date(2024, 4, 10)), (1446, 12, 10, date(2025, 6, 6)), (1444, 1, 1, date(2022, 7, 30))],
)
def test_islamic_dates_are_within_a_day_of_what_was_observed(year: int, month: int, day: int, observed: date) -> None:
    assert abs((hijri_date(year, month, day) - observed).days) <= 1


@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("US", date(2025, 11, 27)),  # the fourth Thursday of November
        ("US", date(2025, 5, 26)),  # the last Monday of May
        ("GB", date(2026, 4, 3)),  # Good Friday
        ("DE", date(2024, 5, 9)),  # Ascension
        ("GR", date(2024, 5, 3)),  # Orthodox Good Friday
        ("HK", date(2026, 2, 17)),  # Chinese new year
        ("KR", date(2026, 2, 16)),  # the day before it
        ("TR", date(2024, 4, 10)),  # end of Ramadan
    ],
)
def test_movable_holidays(code: str, day: date) -> None:
    assert day in holidays_of(code, day.year)


def test_an_islamic_holiday_may_come_twice_in_a_year() -> None:
    ends = [hijri_date(year, 10, 1) for year in (1420, 1421)]
    assert {end.year for end in ends} == {2000}
    assert set(ends) <= holidays_of("EG", 2000)


def test_closed_days_are_weekends_and_holidays_and_nothing_else() -> None:
    first = (date(2023, 11, 1) - EPOCH).days
    codes = list(MARKETS)
    closed = closed_days(codes, first, 500)
    assert closed.shape == (len(codes), 500)
    for row, code in enumerate(codes):
        for column in range(0, 500, 3):
            day = date.fromordinal(EPOCH.toordinal() + first + column)
            off = day.weekday() in MARKETS[code].weekend or day in holidays_of(code, day.year)
            assert closed[row, column] == off, (code, day)


def test_the_29th_of_february_is_no_holiday_in_other_years() -> None:
    closed = closed_days(["US"], (date(2023, 2, 27) - EPOCH).days, 3)
    np.testing.assert_array_equal(closed, [[False, False, False]])
