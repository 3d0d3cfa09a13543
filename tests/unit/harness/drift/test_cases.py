"""Cases: a key's reports of a week are one."""

import numpy as np

from harness.drift.cases import Cases, means, sizes
from streams.labels import NS_PER_DAY


def add(cases: Cases, key: int, day: float, value: float) -> None:
    cases.add(
        np.array([key], np.int32), np.array([round(day * NS_PER_DAY)]), np.array([[value]]), np.ones(1, np.float32)
    )


def test_a_keys_reports_of_a_week_are_one_case_and_later_ones_another() -> None:
    cases = Cases()
    for key, day, value in ((1, 0, 0.2), (1, 3, 0.6), (2, 3, 1.0), (1, 8, 0.0), (-1, 8, 0.5), (-1, 8, 0.5)):
        add(cases, key, day, value)
    assert [case.events for case in cases.found] == [2, 1, 1, 1, 1]
    assert sizes(cases.found).tolist() == [1, 1, 1, 1, 1]
    assert means(cases.found)[:, 0].tolist() == [0.4, 1.0, 0.0, 0.5, 0.5]
    assert len(cases.since(4 * NS_PER_DAY)) == 3
    assert cases.since(9 * NS_PER_DAY) == []


def test_a_cases_size_is_what_it_has_soon() -> None:
    cases = Cases()
    for day in (0.0, 0.1, 1.9, 2.1, 6.9):
        add(cases, 1, day, 0.5)
    assert sizes(cases.found).tolist() == [3]
