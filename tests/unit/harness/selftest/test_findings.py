import math

import pytest

from harness.selftest.findings import at_most, exactly, within


@pytest.mark.parametrize(("found", "passed"), [(7, True), (6, False), (8, False)])
def test_a_count_is_right_or_wrong(found: int, passed: bool) -> None:
    assert exactly("p", "w", 7, found).passed is passed


@pytest.mark.parametrize(("found", "passed"), [(95.0, True), (105.0, True), (94.9, False), (105.1, False)])
def test_a_time_may_differ_by_its_share(found: float, passed: bool) -> None:
    assert within("p", "w", 100.0, found, 0.05).passed is passed


@pytest.mark.parametrize(("found", "passed"), [(0.0, True), (10.0, True), (10.1, False), (-0.1, False)])
def test_a_bound_holds_from_nought_on(found: float, passed: bool) -> None:
    assert at_most("p", "w", "ms", 10.0, found).passed is passed


def test_nothing_measured_proves_nothing() -> None:
    assert not within("p", "w", 100.0, math.nan, 0.05).passed
    assert not at_most("p", "w", "ms", 100.0, math.nan).passed
