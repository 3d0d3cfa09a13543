"""The window before a producer: all messages, in their order, never more than librdkafka would let go."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.brokers import window
from streams.brokers.window import ON_THE_WAY_MAX, Window


class Broker:
    """A producer whose messages are reported a while after they were handed over; full where asked to be."""

    def __init__(self, takes_ns: int, full_at: frozenset[int] = frozenset()) -> None:
        self.now_ns, self.takes_ns, self.full_at = 0, takes_ns, full_at
        self.calls = 0
        self.out: list[tuple[int, bytes]] = []
        self.crowds: list[int] = []
        self._reports: list[tuple[int, Callable[[Any, Any], None]]] = []

    def produce(self, topic: str, value: bytes, key: bytes | None = None, *, on_delivery: Any = None) -> None:
        self.calls += 1
        if self.calls in self.full_at:
            raise BufferError
        if not self.out or self.out[-1][0] != self.now_ns:
            self.crowds.append(len(self._reports))
        self.out.append((self.now_ns, value))
        self._reports.append((self.now_ns + self.takes_ns, on_delivery))

    def poll(self, timeout: float) -> int:
        self.sleep(timeout)
        due = [report for at, report in self._reports if at <= self.now_ns]
        self._reports = [each for each in self._reports if each[0] > self.now_ns]
        for report in due:
            report(None, None)
        return len(due)

    def flush(self, timeout: float) -> int:
        self.poll(timeout)
        return len(self._reports)

    def read(self) -> int:
        self.now_ns += 1_000
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@given(
    st.lists(st.integers(0, 3_000_000), max_size=80),
    st.integers(0, 20_000_000),
    st.frozensets(st.integers(1, 80), max_size=5),
)
def test_all_messages_go_out_in_order_and_are_reported_once(
    gaps_ns: list[int], takes_ns: int, full_at: frozenset[int]
) -> None:
    broker, reported, others = Broker(takes_ns, full_at), [], []
    made = Window(broker, lambda *_: others.append(1), broker.read, broker.sleep)
    for number, gap_ns in enumerate(gaps_ns):
        report = None if number % 3 == 0 else lambda _error, _message, number=number: reported.append(number)
        made.produce("t", b"%d" % number, b"k", on_delivery=report)
        made.nap(gap_ns / 1e9)
    assert made.flush(1.0) == 0
    assert [value for _, value in broker.out] == [b"%d" % number for number in range(len(gaps_ns))]
    assert sorted(reported) == [number for number in range(len(gaps_ns)) if number % 3]
    assert len(others) == len(gaps_ns) - len(reported)
    assert max(broker.crowds, default=0) < ON_THE_WAY_MAX, "what waits leaves together, when there is room"


def test_what_waits_goes_while_the_load_sleeps() -> None:
    broker = Broker(takes_ns=2_000_000)
    made = Window(broker, lambda *_: None, broker.read, broker.sleep)
    for number in range(ON_THE_WAY_MAX + 3):
        made.produce("t", b"%d" % number)
    assert len(broker.out) == ON_THE_WAY_MAX
    made.nap(0.05)
    assert len(broker.out) == ON_THE_WAY_MAX + 3
    assert broker.out[-1][0] < 4_000_000
    assert broker.now_ns >= 50_000_000


def test_a_broker_that_is_away_fills_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "WAITING_MAX", 3)
    broker = Broker(takes_ns=10**15)
    made = Window(broker, lambda *_: None, broker.read, broker.sleep)
    for _ in range(ON_THE_WAY_MAX + 3):
        made.produce("t", b"")
    with pytest.raises(BufferError, match="3 messages wait"):
        made.produce("t", b"")
    assert made.flush(0.01) == ON_THE_WAY_MAX + 3
