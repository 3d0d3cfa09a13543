"""What a stretch of history tells of who was raised last: right where it says so, and it mostly does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.aml.last_raised import LATE_NS, last_raised, raised_from_the_beginning
from scorer.aml.raising import NEVER, ReachedScores
from streams.labels import NS_PER_DAY

WINDOWS = np.array([7, 30], np.int64) * NS_PER_DAY
CUSTOMERS = 3
BEGIN, END = 100 * NS_PER_DAY, 180 * NS_PER_DAY


def reached(rows: list[tuple[float, int, int]]) -> ReachedScores:
    """Scores by day, customer and typology."""
    return ReachedScores(
        np.array([int(day * NS_PER_DAY) for day, _, _ in rows], np.int64),
        np.array([customer for _, customer, _ in rows], np.int32),
        np.array([typology for _, _, typology in rows], np.int32),
    )


def raised_by(rows: list[tuple[float, int, int]], last_ns: np.ndarray) -> list[int]:
    """Which of the rows raise an alert, with plain words."""
    last = {(customer, typology): last_ns[customer, typology] for customer in range(CUSTOMERS) for typology in range(2)}
    found = []
    for number, (day, customer, typology) in enumerate(rows):
        now = int(day * NS_PER_DAY)
        if now - last[customer, typology] >= WINDOWS[typology]:
            last[customer, typology] = now
            found.append(number)
    return found


def rows_of(low: float, high: float, most: int) -> st.SearchStrategy[list[tuple[float, int, int]]]:
    days = st.floats(low, high, allow_nan=False).map(lambda day: round(day * 2) / 2)
    return st.lists(st.tuples(days, st.integers(0, CUSTOMERS - 1), st.integers(0, 1)), max_size=most)


@given(rows_of(0, 99.5, 40), rows_of(100, 179.5, 40), rows_of(180 - 31, 220, 20), st.booleans())
def test_who_is_not_open_is_raised_next_as_if_all_were_known(
    before: list[tuple[float, int, int]],
    within: list[tuple[float, int, int]],
    after: list[tuple[float, int, int]],
    orderly: bool,
) -> None:
    if orderly:
        before, within = sorted(before), sorted(within)
    found = last_raised(reached(within), WINDOWS, CUSTOMERS, BEGIN, END)
    truth = raised_from_the_beginning(reached([*before, *within]), WINDOWS, CUSTOMERS)
    known = [row for row in after if not found.is_open[row[1]]]
    assert raised_by(known, found.last_ns) == raised_by(known, truth)


@given(rows_of(0, 200, 60))
def test_all_of_history_tells_what_plain_words_tell(rows: list[tuple[float, int, int]]) -> None:
    last = raised_from_the_beginning(reached(rows), WINDOWS, CUSTOMERS)
    expected = np.full((CUSTOMERS, 2), NEVER)
    for number in raised_by(rows, expected):
        day, customer, typology = rows[number]
        expected[customer, typology] = int(day * NS_PER_DAY)
    assert last.tolist() == expected.tolist()


def test_a_pause_of_a_window_settles_what_was_before_it() -> None:
    daily = [(float(day), 0, 0) for day in range(100, 120)]
    assert last_raised(reached(daily), WINDOWS, CUSTOMERS, BEGIN, END).is_open.tolist() == [False] * 3, "long ago"
    again = [*daily, (160.0, 0, 0), (165.0, 0, 0)]
    found = last_raised(reached(again), WINDOWS, CUSTOMERS, BEGIN, END)
    assert not found.is_open.any()
    assert found.last_ns[0, 0] == 160 * NS_PER_DAY


def test_who_never_pauses_stays_open() -> None:
    daily = [(float(day), 1, 0) for day in range(100, 180)]
    assert last_raised(reached(daily), WINDOWS, CUSTOMERS, BEGIN, END).is_open.tolist() == [False, True, False]


def test_two_ways_that_meet_are_one_unless_a_score_came_out_of_order() -> None:
    """Raised on days 110 and 160, or on 130 and 160."""
    rows = [(110.0, 2, 1), (130.0, 2, 1), (139.0, 2, 1), (160.0, 2, 1)]
    assert not last_raised(reached(rows), WINDOWS, CUSTOMERS, BEGIN, END).is_open.any()
    late = [*rows[:3], (138.0, 2, 1), rows[3]]
    assert last_raised(reached(late), WINDOWS, CUSTOMERS, BEGIN, END).is_open.tolist() == [False, False, True]


def test_a_stretch_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="tells nothing"):
        last_raised(reached([]), WINDOWS, CUSTOMERS, END - LATE_NS - int(WINDOWS.max()), END)
