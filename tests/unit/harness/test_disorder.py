import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.disorder import Disorder

EVENTS = 24


@st.composite
def answered(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    cards = draw(st.lists(st.integers(0, 4), min_size=EVENTS, max_size=EVENTS))
    ordinals = draw(st.permutations(range(EVENTS)))
    return cards, ordinals[: draw(st.integers(0, EVENTS))]


@given(answered(), st.integers(1, 9))
def test_it_counts_as_one_by_one_would(given_: tuple[list[int], list[int]], batch: int) -> None:
    cards, ordinals = given_
    newest: dict[int, int] = {}
    expected = 0
    for ordinal in ordinals:
        expected += ordinal < newest.get(cards[ordinal], -1)
        newest[cards[ordinal]] = max(newest.get(cards[ordinal], -1), ordinal)
    disorder = Disorder(np.array(cards, np.int32))
    for start in range(0, len(ordinals), batch):
        disorder.take(np.array(ordinals[start : start + batch], np.int64))
    assert disorder.reordered == expected


def test_other_cards_do_not_matter() -> None:
    disorder = Disorder(np.array([0, 1, 0, 1]))
    disorder.take(np.array([2, 1, 3]))
    assert disorder.reordered == 0
    disorder.take(np.array([0]))
    assert disorder.reordered == 1


def test_no_events_no_disorder() -> None:
    disorder = Disorder(np.zeros(0, np.int32))
    disorder.take(np.zeros(0, np.int64))
    assert disorder.reordered == 0
