"""Distinct visitors: windows that move on against sets made anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.features.visitor_ledger import VisitorLedger

PLACES, CARDS, DAYS = 4, 6, 12
SPANS = [1, 3, 7]

Visit = tuple[int, int, int]
"""Day, place (-1 none), card."""

visits = st.lists(st.tuples(st.integers(0, DAYS), st.integers(-1, PLACES - 1), st.integers(0, CARDS - 1)), max_size=20)
steps = st.lists(st.tuples(visits, st.integers(0, DAYS)), min_size=1, max_size=8)


def book(ledger: VisitorLedger, made: list[Visit]) -> None:
    for day in {day for day, _, _ in made}:
        places, cards = zip(*(visit[1:] for visit in made if visit[0] == day), strict=True)
        ledger.add(day, np.array(places, np.int32), np.array(cards, np.int32))


def distinct(made: list[Visit], last_day: int, days: int) -> list[int]:
    cards = [
        {card for day, at, card in made if at == place and last_day - days < day <= last_day} for place in range(PLACES)
    ]
    return [len(found) for found in cards]


@given(steps)
def test_a_window_counts_as_sets_do_however_days_come_late_and_it_moves(moves: list[tuple[list[Visit], int]]) -> None:
    ledger, made = VisitorLedger.empty(), list[Visit]()
    for new, last_day in moves:
        book(ledger, new)
        made += new
        found = ledger.distinct("one", last_day, SPANS, PLACES)
        assert {span: counts.tolist() for span, counts in found.items()} == {
            span: distinct(made, last_day, span) for span in SPANS
        }


@given(visits, st.integers(0, DAYS), st.integers(0, DAYS))
def test_windows_of_two_names_do_not_touch_each_other(made: list[Visit], one: int, other: int) -> None:
    ledger = VisitorLedger.empty()
    book(ledger, made)
    for _ in range(2):
        assert ledger.distinct("one", one, [7], PLACES)[7].tolist() == distinct(made, one, 7)
        assert ledger.distinct("other", other, [3], PLACES)[3].tolist() == distinct(made, other, 3)


def test_what_a_ledger_forgot_is_out_of_a_window_that_has_left_it_behind() -> None:
    ledger = VisitorLedger.empty()
    book(ledger, [(1, 0, 1), (2, 0, 2), (9, 0, 1)])
    assert ledger.distinct("one", 3, [3], PLACES)[3].tolist() == [2, 0, 0, 0]
    ledger.forget(2)
    assert ledger.distinct("one", 9, [3], PLACES)[3].tolist() == [1, 0, 0, 0]


@given(steps, st.lists(st.integers(-1, DAYS), min_size=CARDS, max_size=CARDS))
def test_marked_cards_and_daily_totals_are_counted_as_sets_are(
    moves: list[tuple[list[Visit], int]], marked: list[int]
) -> None:
    ledger, made = VisitorLedger.empty(), list[Visit]()
    for new, last_day in moves:
        book(ledger, new)
        made += new
        counted = [visit for visit in made if marked[visit[2]] >= visit[0]]
        found = ledger.distinct_marked(last_day, 3, PLACES, np.array(marked, np.int64))
        assert found.tolist() == distinct(counted, last_day, 3)
        daily = [distinct(made, day, 1) for day in range(last_day - 6, last_day + 1)]
        assert ledger.daily_total(last_day, 7, PLACES).tolist() == np.sum(daily, axis=0).tolist()
