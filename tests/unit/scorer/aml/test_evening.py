"""Stretches of transfers between the ends of days."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scorer.aml.evening import stretches
from streams.labels import NS_PER_DAY, NS_PER_HOUR, business_day


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30))
def test_a_new_stretch_begins_where_the_newest_passes_into_another_day(hours: list[int]) -> None:
    times = [hour * NS_PER_HOUR for hour in hours]
    expected: list[tuple[int, int, int]] = []
    newest = -1
    for row, time_ns in enumerate(times):
        before, newest = newest, max(newest, time_ns)
        days = [(each // NS_PER_DAY, business_day(each)) for each in (before, newest)]
        if row == 0 or days[0] != days[1]:
            expected.append((row, row + 1, newest))
        else:
            expected[-1] = (expected[-1][0], row + 1, expected[-1][2])
    assert stretches(np.array(times)) == expected
