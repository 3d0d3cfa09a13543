"""Faults are injected and lifted at their instants, broken off when they must be, and never outlive the stream."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.faults.driver import Driver, Vitals, driving
from harness.faults.kinds import KINDS
from harness.faults.plan import plan_faults
from harness.faults.targets import Targets
from streams.errors import BadInputError, RunInvalidError
from streams.fault_control import FaultSwitch, FaultView

S = 1_000_000_000
START = 500 * S
TIMES = np.arange(100, dtype=np.int64) * S
EVENT_TIMES = 1_767_225_600 * S + np.arange(100, dtype=np.int64) * 60 * S  # from 2026-01-01 on, one a minute


class Clock:
    def __init__(self) -> None:
        self.now_ns = START

    def __call__(self) -> int:
        return self.now_ns


def fault(at_s: float | None = 3.0, kind: str = "model-hang", **keys: Any) -> Any:
    return KINDS[kind].model_validate({"kind": kind, "at_s": at_s, "duration_s": 2.0, **keys})


def driver_of(tmp_path: Path, faults: list[Any], clock: Clock, vitals: Vitals) -> tuple[Driver, FaultView]:
    switch = FaultSwitch(tmp_path / "control")
    planned = plan_faults(faults, 3, TIMES, EVENT_TIMES)
    return Driver(planned, Targets(model=switch), START, clock, lambda: vitals), FaultView(tmp_path / "control")


QUIET = Vitals(0, 1.0, 0)


def test_a_fault_lasts_from_its_instant_to_its_end(tmp_path: Path) -> None:
    clock = Clock()
    driver, view = driver_of(tmp_path, [fault(3.0), fault(8.0, "model-nan")], clock, QUIET)
    seen = []
    for step in range(120):
        clock.now_ns = START + step * S // 10
        driver.step()
        found = view.read()
        seen.append(found.kind if found else None)
    assert seen[:30] == [None] * 30
    assert seen[30:50] == ["hang"] * 20
    assert seen[50:80] == [None] * 30
    assert seen[80:100] == ["nan"] * 20
    assert seen[100:] == [None] * 20
    assert [(i.injected_ns - START, (i.lifted_ns or 0) - START) for i in driver.injections] == [
        (3 * S, 5 * S),
        (8 * S, 10 * S),
    ]
    assert not driver.busy


@pytest.mark.parametrize(
    ("abort", "vitals", "words"),
    [
        ({"overdue_max": 3}, Vitals(4, 1.0, 0), "events overdue 4 exceeds 3"),
        ({"response_p99_ms": 50.0}, Vitals(0, 50.5, 0), "response P99 of the last second 50.5 ms exceeds 50 ms"),
        ({"lag_max": 10}, Vitals(0, 1.0, 11), "events waiting 11 exceeds 10"),
    ],
)
def test_a_fault_is_broken_off_and_it_is_said_why(
    tmp_path: Path, abort: dict[str, Any], vitals: Vitals, words: str
) -> None:
    clock = Clock()
    driver, view = driver_of(tmp_path, [fault(abort=abort)], clock, vitals)
    clock.now_ns = START + 3 * S
    driver.step()
    assert view.read() is not None
    clock.now_ns += 10_000_000
    driver.step()
    assert view.read() is None
    assert driver.injections[0].aborted == words


def test_nothing_outlives_the_stream(tmp_path: Path) -> None:
    clock = Clock()
    clock.now_ns = START + 3 * S
    driver, view = driver_of(tmp_path, [fault()], clock, QUIET)
    with driving(driver):
        while view.read() is None:
            pass
    assert view.read() is None
    assert driver.injections[0].lifted_ns is not None
    driver.check()


def test_a_fault_that_cannot_be_carried_out_ends_the_run() -> None:
    clock = Clock()
    clock.now_ns = START + 3 * S
    driver = Driver(plan_faults([fault()], 3, TIMES, EVENT_TIMES), Targets(), START, clock, lambda: QUIET)
    with driving(driver):
        while not driver.injections:
            pass
    with pytest.raises(RunInvalidError, match="could not be carried out: a fault of the model without a switch"):
        driver.check()


def test_an_event_time_is_the_intended_instant_of_its_event() -> None:
    (planned,) = plan_faults([fault(None, at_event_time="2026-01-01T00:10:30Z")], 3, TIMES, EVENT_TIMES)
    assert planned.at_ns == 11 * S  # the first event of that time or later is the one at 00:11


@pytest.mark.parametrize("moment", ["2025-12-31T23:59:59Z", "2026-01-02T00:00:00+00:00"])
def test_an_event_time_outside_the_stream_is_refused(moment: str) -> None:
    with pytest.raises(
        BadInputError, match=r"faults\[0\].at_event_time .* 2026-01-01T00:00:00Z to 2026-01-01T01:39:00Z"
    ):
        plan_faults([fault(None, at_event_time=moment)], 3, TIMES, EVENT_TIMES)


def test_faults_that_meet_by_event_time_are_refused() -> None:
    faults = [fault(12.0), fault(None, at_event_time="2026-01-01T00:11:00Z")]
    with pytest.raises(BadInputError, match=r"faults\[0\] begins 12.000 s after the start, before faults\[1\] ends"):
        plan_faults(faults, 3, TIMES, EVENT_TIMES)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True), st.integers(0, 2**31))
def test_seeds_are_a_fault_s_own_whatever_comes_before_it(places: list[int], seed: int) -> None:
    faults = [fault(3.0 * place) for place in places]
    planned = plan_faults(faults, seed, TIMES, EVENT_TIMES)
    assert [each.at_ns for each in planned] == sorted(each.at_ns for each in planned)
    assert len({each.seed for each in planned}) == len(planned)
    again = plan_faults(faults[:1], seed, TIMES, EVENT_TIMES)
    assert again[0].seed == next(each.seed for each in planned if each.place == 0)
