"""Rows kept by their business day: all of them, in their order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.features.bookings import ROWS_MAX, Bookings
from models.features.by_day import by_day, chosen_rows

batches = st.lists(
    st.lists(st.integers(0, 3), max_size=10)
    | st.integers(0, 3).flatmap(lambda day: st.lists(st.just(day), min_size=1, max_size=10)),
    max_size=10,
)


@given(st.lists(st.integers(-2, 2), max_size=12))
def test_every_row_is_of_its_day(days: list[int]) -> None:
    column = np.array(days, np.int64)
    rows = np.arange(len(days))
    found = {day: rows[chosen].tolist() for day, chosen, _ in by_day(column)}
    assert all(count == len(found[day]) for day, _, count in by_day(column))
    assert found == {day: [row for row, other in enumerate(days) if other == day] for day in set(days)}


@given(st.lists(st.tuples(st.integers(-1, 1), st.booleans()), max_size=12))
def test_of_every_day_only_the_chosen_rows_are_left(made: list[tuple[int, bool]]) -> None:
    days, chosen = np.array([day for day, _ in made], np.int64), np.array([kept for _, kept in made], np.bool_)
    rows = np.arange(len(made))
    found = {day: (rows[kept].tolist(), count) for day, kept, count in chosen_rows(by_day(days), chosen)}
    expected = {day: [row for row in rows.tolist() if made[row] == (day, True)] for day in set(days.tolist())}
    assert found == {day: (kept, len(kept)) for day, kept in expected.items()}


@given(batches)
def test_what_was_booked_is_given_back_once(made: list[list[int]]) -> None:
    bookings, expected, number = Bookings(), dict[int, list[int]](), 0
    for days in made:
        rows = np.arange(number, number + len(days), dtype=np.int32)
        bookings.add(by_day(np.array(days, np.int64)), (rows, -rows))
        for day, row in zip(days, rows.tolist(), strict=True):
            expected.setdefault(day, []).append(row)
        number += len(days)
    taken = {day: (first.tolist(), second.tolist()) for day, (first, second) in bookings.take()}
    assert taken == {day: (rows, [-row for row in rows]) for day, rows in expected.items()}
    assert list(bookings.take()) == []


def test_rows_of_which_none_is_chosen_leave_nothing() -> None:
    bookings = Bookings()
    bookings.add(chosen_rows(by_day(np.zeros(5, np.int64)), np.zeros(5, np.bool_)), (np.zeros(5, np.int32),))
    assert list(bookings.take()) == []


def test_they_are_full_when_there_are_many() -> None:
    bookings = Bookings()
    bookings.add(by_day(np.zeros(ROWS_MAX, np.int64)), (np.zeros(ROWS_MAX, np.int32),))
    assert not bookings.is_full()
    bookings.add(by_day(np.zeros(1, np.int64)), (np.zeros(1, np.int32),))
    assert bookings.is_full()
    list(bookings.take())
    assert not bookings.is_full()
