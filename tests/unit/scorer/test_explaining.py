"""The explaining thread: batches, a bounded queue, failures, and what waits for it."""

import asyncio
import itertools
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from scorer.counters import Counters
from scorer.explaining import ROWS_PER_CALL, Explaining, Scored
from streams.decision import Explanation, Reason

LONG_S = 30.0


class Slow:
    """Contributions that are computed when the test lets them; the reason is the row's first value."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.started = threading.Event()
        self.calls: list[int] = []
        self.broken = False

    def told(self, values: np.ndarray, reconstruction_error: np.ndarray, top: int) -> Iterator[list[Reason]]:
        self.calls.append(len(values))
        self.started.set()
        assert self.go.wait(LONG_S)
        if self.broken:
            raise ValueError("no such tree")
        for row, error in zip(values, reconstruction_error, strict=True):
            yield [Reason(code=f"{row[0]:g}", text=f"error {error:g}", kind="feature")] * top


class Kept:
    """An outlet that keeps everything; receipts are numbers."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.published: list[tuple[Explanation, int]] = []
        self.given_up: list[int] = []
        self.closed = False

    def expect(self, count: int) -> list[int]:
        return [next(self.numbers) for _ in range(count)]

    def publish(self, explanations: Sequence[Explanation], receipts: Sequence[Any]) -> None:
        if self.closed:
            raise RuntimeError("closed")
        self.published += zip(explanations, receipts, strict=True)

    def give_up(self, receipts: Sequence[Any]) -> None:
        self.given_up += receipts


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def explaining(slow: Slow, kept: Kept) -> Iterator[Explaining]:
    ticks = itertools.count(100, 7)
    made = Explaining(
        slow, kept, Counters(), lambda: next(ticks), worker="w", model_version="m-1", top=2, queue_rows=10
    )
    made.start()
    yield made
    slow.go.set()
    made.close()


def counters(explaining: Explaining) -> Counters:
    return explaining._counters


def scored(first: int, count: int = 1) -> Scored:
    numbers = np.arange(first, first + count, dtype=np.float32)
    ids = [f"e{number:g}" for number in numbers]
    return Scored(
        np.column_stack([numbers, numbers]), numbers / np.float32(2), ids, [int(number) for number in numbers]
    )


def test_each_row_gets_its_explanation(explaining: Explaining, kept: Kept) -> None:
    explaining.submit(scored(4, 3))
    assert explaining.drain(LONG_S)
    explanations = [explanation for explanation, _ in kept.published]
    assert [(each.event_id, each.decided_ns) for each in explanations] == [("e4", 4), ("e5", 5), ("e6", 6)]
    assert [each.reasons[0].code for each in explanations] == ["4", "5", "6"]
    assert all((each.worker, each.model_version, len(each.reasons)) == ("w", "m-1", 2) for each in explanations)
    assert all((each.emitted_ns or 0) > 0 and (each.explain_ns or 0) > 0 for each in explanations)
    assert counters(explaining).explained == 3
    assert "explain" in counters(explaining).stages


def test_what_waits_is_explained_together(explaining: Explaining, slow: Slow, kept: Kept) -> None:
    slow.go.clear()
    explaining.submit(scored(0))
    assert slow.started.wait(LONG_S)
    for number in range(1, 6):
        explaining.submit(scored(10 * number, 2))
    slow.go.set()
    assert explaining.drain(LONG_S)
    assert slow.calls == [1, 10]
    assert [receipt for _, receipt in kept.published] == list(range(11))
    assert all(explanation.reasons[0].code == explanation.event_id[1:] for explanation, _ in kept.published)


def test_a_call_has_a_bounded_number_of_rows(explaining: Explaining, slow: Slow, kept: Kept) -> None:
    explaining.submit(scored(0, 2 * ROWS_PER_CALL + 5))
    assert explaining.drain(LONG_S)
    assert slow.calls == [ROWS_PER_CALL, ROWS_PER_CALL, 5]
    assert len(kept.published) == 2 * ROWS_PER_CALL + 5


def test_who_decides_waits_only_for_a_full_queue(explaining: Explaining, slow: Slow) -> None:
    slow.go.clear()
    explaining.submit(scored(0, 9))
    explaining.wait_for_room()
    assert counters(explaining).explain_waits == 0
    explaining.submit(scored(9, 4))  # the micro-batch in hand still goes in
    assert counters(explaining).explain_waiting == 13
    waiting = threading.Thread(target=explaining.wait_for_room)
    waiting.start()
    waiting.join(0.02)
    assert waiting.is_alive()
    slow.go.set()
    waiting.join(LONG_S)
    assert counters(explaining).explain_waits == 1
    assert counters(explaining).explain_wait_ns > 0


def test_the_event_loop_is_not_held_up_by_a_full_queue(explaining: Explaining, slow: Slow) -> None:
    async def wait() -> int:
        turns = 0
        waiting = asyncio.ensure_future(explaining.wait_for_room_async())
        while not waiting.done():
            turns += 1
            await asyncio.sleep(0)
            if turns == 50:
                slow.go.set()
        return turns

    asyncio.run(explaining.wait_for_room_async())
    slow.go.clear()
    explaining.submit(scored(0, 12))
    assert asyncio.run(wait()) >= 50
    assert counters(explaining).explain_waits == 1


def test_a_failure_is_counted_said_and_stops_nothing(
    explaining: Explaining, slow: Slow, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    slow.broken = True
    explaining.submit(scored(0, 2))
    assert explaining.drain(LONG_S)
    slow.broken = False
    explaining.submit(scored(5))
    assert explaining.drain(LONG_S)
    assert kept.given_up == [0, 1]
    assert [explanation.event_id for explanation, _ in kept.published] == ["e5"]
    assert (counters(explaining).explain_failed, counters(explaining).explained) == (2, 1)
    assert "2 decisions stay without contributions" in caplog.text
    assert "no such tree" in caplog.text


def test_what_cannot_be_handed_over_is_not_given_up(explaining: Explaining, kept: Kept) -> None:
    kept.closed = True
    explaining.submit(scored(0))
    assert explaining.drain(LONG_S)
    assert kept.given_up == []
    assert counters(explaining).explain_failed == 1


def test_a_drain_has_a_limit(explaining: Explaining, slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    slow.go.clear()
    explaining.submit(scored(0, 3))
    assert not explaining.drain(0.01)
    assert "3 explanations were not made within 0.01 s" in caplog.text
    assert not explaining.idle


def test_close_ends_the_thread(slow: Slow, kept: Kept) -> None:
    before = threading.active_count()
    made = Explaining(slow, kept, Counters(), lambda: 5, worker="w", model_version="m")
    made.start()
    made.close()
    assert threading.active_count() == before
    made.wait_for_room()
