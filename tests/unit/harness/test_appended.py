"""Append times from delivery reports, on the instrument's clock."""

import numpy as np
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME

from harness.appended import REPORTS_MAX, AppendTimes

WALL_AHEAD_NS = 1_700_000_000_000_000_000


class Message:
    """As much of a delivered message as is asked of it."""

    def __init__(self, kind: int, wall_ms: int) -> None:
        self._timestamp = kind, wall_ms

    def timestamp(self) -> tuple[int, int]:
        return self._timestamp


def noting(events: int, failed: list[object]) -> tuple[np.ndarray, AppendTimes]:
    appended = np.zeros(events, dtype=np.int64)
    times = AppendTimes(
        appended,
        lambda error, message: failed.append(error),
        wall_ns=lambda: WALL_AHEAD_NS + 9_000_000_000,
        now_ns=lambda: 9_000_000_000,
    )
    return appended, times


def test_the_brokers_time_becomes_an_instant_of_our_clock() -> None:
    appended, times = noting(3, [])
    report = times.report_of(1)
    assert report is not None
    report(None, Message(TIMESTAMP_LOG_APPEND_TIME, (WALL_AHEAD_NS + 8_998_000_000) // 1_000_000))
    assert appended.tolist() == [0, 8_998_000_000, 0]


def test_a_time_that_is_not_the_brokers_and_a_failure_note_nothing() -> None:
    failed: list[object] = []
    appended, times = noting(1, failed)
    report = times.report_of(0)
    assert report is not None
    report(None, Message(TIMESTAMP_CREATE_TIME, WALL_AHEAD_NS // 1_000_000))
    report("timed out", Message(TIMESTAMP_LOG_APPEND_TIME, WALL_AHEAD_NS // 1_000_000))
    assert failed == ["timed out"]
    assert appended.tolist() == [0]


def test_of_a_long_stream_every_nth_event_is_noted() -> None:
    _, times = noting(3 * REPORTS_MAX, [])
    asked = [times.report_of(ordinal) is not None for ordinal in range(3 * REPORTS_MAX)]
    assert sum(asked) == REPORTS_MAX
    assert asked[:6] == [True, False, False, True, False, False]
