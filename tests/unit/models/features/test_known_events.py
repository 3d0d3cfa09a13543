"""Events that come again are found, whatever came with them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.features.by_day import by_day
from models.features.known_events import KnownEvents

MicroBatch = list[tuple[int, int]]
"""Business day and hash of each event."""

one_day = st.integers(0, 3).flatmap(lambda day: st.lists(st.tuples(st.just(day), st.integers(0, 40)), max_size=12))
several_days = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), max_size=12)


def one_by_one(known: set[tuple[int, int]], batch: MicroBatch, forgotten: int) -> list[bool]:
    """The obvious way: each event looked up by itself."""
    fresh = []
    for event in batch:
        fresh.append(event[0] <= forgotten or event not in known)
        if event[0] > forgotten:
            known.add(event)
    return fresh


@given(st.lists(one_day | several_days, max_size=12), st.integers(-1, 2))
def test_they_are_those_that_one_by_one_are_found(batches: list[MicroBatch], forgotten: int) -> None:
    known = KnownEvents()
    expected: set[tuple[int, int]] = set()
    for batch in batches:
        days, hashes = np.array(batch, np.int64).reshape(-1, 2).T
        found = known.fresh(by_day(days), hashes.astype(np.uint64), forgotten)
        assert found.tolist() == one_by_one(expected, batch, forgotten)
        assert held(known) == sorted(expected)


def held(known: KnownEvents) -> list[tuple[int, int]]:
    """What is known, as a snapshot has it."""
    arrays = known.to_arrays("events")
    return list(zip(arrays["events_day"].tolist(), arrays["events_hash"].tolist(), strict=True))


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3).map(lambda high: high << 40), max_size=2_000))
def test_a_table_that_grows_forgets_nothing(hashes: list[int]) -> None:
    """Also of hashes that all begin at the same slot."""
    known, column = KnownEvents(), np.array(hashes, np.uint64)
    days = np.zeros(len(column), np.int64)
    halves = np.array_split(np.arange(len(column)), 2)
    fresh = [found for rows in halves for found in known.fresh(by_day(days[rows]), column[rows], -1).tolist()]
    assert fresh == one_by_one(set(), [(0, each) for each in hashes], -1)
    assert not known.fresh(by_day(days), column, -1).any()


def test_what_is_saved_goes_on_and_what_is_forgotten_is_new() -> None:
    known, days = KnownEvents(), np.array([1, 1, 2, 3], np.int64)
    hashes = np.array([0, 7, 7, 2**64 - 1], np.uint64)
    assert known.fresh(by_day(days), hashes, 0).all()
    again = KnownEvents.from_arrays("events", known.to_arrays("events"))
    assert held(again) == held(known) == [(1, 0), (1, 7), (2, 7), (3, 2**64 - 1)]
    again.forget(1)
    assert again.fresh(by_day(days), hashes, 0).tolist() == [True, True, False, False]
