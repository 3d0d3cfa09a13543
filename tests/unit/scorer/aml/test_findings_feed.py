"""Findings are recorded as they come, whatever comes among them; decisions never wait for them."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from scorer.aml import findings_feed
from scorer.aml.findings_feed import FindingsFeed
from scorer.counters import Counters
from streams.codec import encode
from streams.laundering import Finding


def finding(customer: str, found_at_ns: int, suspicious: bool) -> bytes:
    return encode(Finding(alert_id=f"t1/{customer}", customer_id=customer, found_at_ns=found_at_ns,
                          is_suspicious=suspicious, market="DE"))  # fmt: skip


class Topic:
    """Gives its messages one by one, then says that it is read to its end."""

    def __init__(self, *values: bytes | None, broken: bool = False) -> None:
        self.values, self.broken = list(values), broken
        self.read, self.closed = threading.Event(), False

    def poll(self, timeout: float) -> Any:
        if self.broken:
            raise OSError("gone")
        if not self.values:
            self.read.set()
            return None
        value = self.values.pop(0)
        error = SimpleNamespace(str=lambda: "not now") if value is None else None
        return SimpleNamespace(error=lambda: error, value=lambda: value)

    def close(self) -> None:
        self.closed = True


def test_findings_are_counted_and_the_latest_of_a_customer_is_kept() -> None:
    counters = Counters()
    topic = Topic(finding("a", 5, True), None, b"no finding", finding("b", 6, False), finding("a", 4, False))
    with FindingsFeed(lambda: topic, counters) as feed:
        assert topic.read.wait(10)
    assert (counters.findings, counters.findings_suspicious, counters.findings_unreadable) == (3, 1, 1)
    assert {name: one.is_suspicious for name, one in feed.latest.items()} == {"a": True, "b": False}
    assert topic.closed


def test_what_came_before_the_end_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_feed, "POLL_S", 0.0)
    counters, topic = Counters(), Topic()
    with FindingsFeed(lambda: topic, counters):
        assert topic.read.wait(10)
        topic.values += [finding(str(number), number, False) for number in range(50)]
    assert counters.findings == 50


def test_a_topic_that_cannot_be_read_is_no_reason_to_stop(caplog: pytest.LogCaptureFixture) -> None:
    topic = Topic(broken=True)
    with FindingsFeed(lambda: topic, Counters()):
        pass
    assert "decisions go on without them" in caplog.text
    assert topic.closed
