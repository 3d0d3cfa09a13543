"""The load process: sends every event at its intended instant, open loop, and notes when each was really sent.

Run as `python -m harness.load PLAN` (a JSON file). It prints `ready` when everything is mapped and connected, reads the
start instant (ns of the monotonic clock) from standard input, and writes what it did to the plan's `summary` file.
"""

import contextlib
import gc
import json
import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from confluent_kafka import Producer

from harness.appended import AppendTimes
from harness.feed import DISPOSITIONS
from harness.outgoing import Feed, Portion
from harness.pacing import Pacer, measure_oversleep_ns, sharpen_sleep, step_beside_ns
from harness.progress import Live
from streams.brokers.clients import ProducerSettings, Producing, Report, producer_config
from streams.brokers.connection import connection_from
from streams.priority import FIRST, claim_priority
from streams.topics import Domain, Topics

logger = logging.getLogger("riskbench.harness.load")
FLUSH_S = 30.0
PROGRESS_EVERY_NS = 100_000_000
NEVER = 2**62


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send where. Paths are absolute; `kafka_config` as `--kafka-config`. Sender `share` of `shares`, from 0.
    `sent` and `appended` are arrays of one int64 an event, there already."""

    feed: str
    prefix: str
    bootstrap_servers: str
    kafka_config: str | None
    sent: str
    appended: str
    progress: str
    summary: str
    share: int = 0
    shares: int = 1
    domain: Domain = "fraud"
    linger_ms: float = 0.0


class Sender:
    """Sends a feed, or its share of one. `sent_ns[i]` becomes the clock's reading when event i was handed to the
    producer; `report_of(i)` is called with its delivery report, where it wants one. The first sender has the side
    messages: they count what was sent, they do not overtake it. What faults put in goes out behind its event."""

    def __init__(
        self,
        feed: Feed,
        topics: Topics,
        producer: Producing,
        sent_ns: npt.NDArray[np.int64],
        share: int = 0,
        shares: int = 1,
        *,
        report_of: Callable[[int], Report | None] = lambda ordinal: None,
    ) -> None:
        self.feed = feed
        self.producer = producer
        self.report_of = report_of
        self.sent_ns = sent_ns
        self.sent = 0
        self.side_sent = 0
        self.queue_full = 0
        self._next_report = 0
        self._share, self._shares = share, shares
        self._side = len(feed.side_before) if share == 0 else 0
        self.fed_sent = 0
        self._fed = feed.fed_by(share, shares)
        self._next_fed = self._due_fed()
        self._events_topic = topics.events
        self._side_topics = {DISPOSITIONS: topics.dispositions}
        self._day_ends = topics.day_ends

    def _produce(self, topic: str, value: bytes, key: bytes | None, report: Report | None = None) -> None:
        while True:
            try:
                if report is None:
                    self.producer.produce(topic, value, key)
                else:
                    self.producer.produce(topic, value, key, on_delivery=report)
            except BufferError:
                # the producer's queue is full: wait for room, the delay is measured
                self.queue_full += 1
                self.producer.poll(0.001)
            else:
                return

    def _send_side(self, before: int) -> None:
        feed = self.feed
        while self.side_sent < self._side and feed.side_before[self.side_sent] <= before:
            i = self.side_sent
            topic = self._side_topics.get(feed.side_topic[i], self._day_ends)
            self._produce(topic, feed.side[i], None)
            self.side_sent += 1

    def _due_fed(self) -> int:
        """After which event the next message of a fault is due."""
        return int(self.feed.fed_after[self._fed[self.fed_sent]]) if self.fed_sent < len(self._fed) else NEVER

    def _send_fed(self, ordinal: int) -> None:
        """What faults put in behind the events up to `ordinal`."""
        feed = self.feed
        while ordinal >= self._next_fed:
            index = self._fed[self.fed_sent]
            self._produce(self._events_topic, feed.fed[index], feed.key_of(int(feed.fed_source[index])))
            self.fed_sent += 1
            self._next_fed = self._due_fed()

    def run(self, start_ns: int, pacer: Pacer, report: Callable[[int], None]) -> None:
        """Send everything, event i at `start_ns + schedule_ns[i]`; calls `report(sent)` about ten times a second."""
        self._next_report = start_ns
        self._send_side(0)
        for portion in self.feed.portions(self._share, self._shares):
            self._send(portion, start_ns, pacer, report)
        self._send_fed(len(self.feed.messages))
        self._send_side(len(self.feed.messages))
        report(self.sent)

    def _send(self, portion: Portion, start_ns: int, pacer: Pacer, report: Callable[[int], None]) -> None:
        poll, now_ns, wait_until, report_of = self.producer.poll, pacer.now_ns, pacer.wait_until, self.report_of
        sent_ns, topic, side = self.sent_ns, self._events_topic, self._side
        for i, offset, key, message in zip(
            portion.ordinals, portion.offsets_ns, portion.keys, portion.messages, strict=True
        ):
            if wait_until(start_ns + offset) >= self._next_report:
                report(self.sent)
                self._next_report += PROGRESS_EVERY_NS
            # twice: its decision may be back before the second, and an event without an instant counts as not sent
            sent_ns[i] = now_ns()
            self._produce(topic, message, key, report_of(i))
            sent_ns[i] = now_ns()
            self.sent += 1
            if i >= self._next_fed:
                self._send_fed(i)
            if side:
                self._send_side(i + 1)
            if self.sent & 63 == 0:
                poll(0)


@dataclass(slots=True)
class Failures:
    """Counts messages the broker did not take."""

    count: int = 0
    first: str | None = None

    def __call__(self, error: Any, _message: Any) -> None:
        """librdkafka's delivery report of a message nobody asks more about."""
        if error is not None:
            self.count += 1
            self.first = self.first or str(error)


def _open_producer(plan: LoadPlan, failures: Failures) -> Producing:
    config_file = Path(plan.kafka_config) if plan.kafka_config else None
    settings = ProducerSettings(linger_ms=plan.linger_ms)
    config = producer_config(connection_from(plan.bootstrap_servers, config_file), settings)
    opened: Producing = Producer({**config, "on_delivery": failures})
    return opened


def make_instants(path: Path, events: int) -> None:
    """A file that all senders write instants into: one int64 an event, nought until it has one."""
    np.save(path, np.zeros(events, dtype=np.int64))


def _map_instants(path: Path, events: int) -> npt.NDArray[np.int64]:
    return np.load(path, mmap_mode="r+" if events else None)  # type: ignore[no-any-return]


def run_load(plan: LoadPlan) -> None:
    """Carry out a plan: map, connect, say ready, wait for the start instant, send, flush, summarise."""
    failures = Failures()
    feed = Feed.open(Path(plan.feed))
    sent_ns = _map_instants(Path(plan.sent), len(feed.messages))
    appended_ns = _map_instants(Path(plan.appended), len(feed.messages))
    appends = AppendTimes(appended_ns, failures, time.time_ns, time.monotonic_ns)
    live = Live.open(Path(plan.progress))
    topics, producer = Topics(plan.prefix, plan.domain), _open_producer(plan, failures)
    sender = Sender(feed, topics, producer, sent_ns, plan.share, plan.shares, report_of=appends.report_of)
    if not claim_priority(FIRST):
        logger.info("no right to a higher priority: on a busy machine the load may be late, and the run will say so")
    sharpen_sleep()
    step_ns = step_beside_ns(plan.linger_ms)
    awake_ns = 0 if step_ns else measure_oversleep_ns(time.monotonic_ns, time.sleep)
    pacer = Pacer(time.monotonic_ns, time.sleep, awake_ns, lambda: sender.producer.poll(0), step_ns)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line.strip():
        return
    gc.collect()
    gc.freeze()
    gc.disable()

    sender.run(int(line), pacer, lambda sent: live.set(sent=sent))
    unsent = sender.producer.flush(FLUSH_S)
    summary = {
        "sent": sender.sent,
        "side_sent": sender.side_sent,
        "fed_sent": sender.fed_sent,
        "undelivered": failures.count + unsent,
        "first_error": failures.first,
        "queue_full": sender.queue_full,
        "awake_ns": awake_ns,
    }
    Path(plan.summary).write_text(json.dumps(summary), encoding="utf-8")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        run_load(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=LoadPlan))
