"""Events that come again are found, whatever came with them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.features.known_events import EventsOfDays, fresh_events

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
    known: EventsOfDays = {}
    expected: set[tuple[int, int]] = set()
    for batch in batches:
        days, hashes = np.array(batch, np.int64).reshape(-1, 2).T
        found = fresh_events(known, days, hashes.astype(np.uint64), forgotten)
        assert found.tolist() == one_by_one(expected, batch, forgotten)
        assert {(day, event) for day, of_day in known.items() for event in of_day} == expected
