"""A scorer that misbehaves exactly as told, so that what the harness reports can be held against what was done.

Run as `python -m harness.selftest.planted PLAN BOOTSTRAP EVENTS DECISIONS GROUP READY`; ends on SIGTERM.
"""

import itertools
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
from confluent_kafka import Consumer, Producer

from streams.brokers.clients import consumer_config, producer_config, receive
from streams.brokers.connection import connection_from
from streams.codec import encode
from streams.decision import Decision
from streams.transaction import Identifier

BATCH = 500
WAIT_S = 0.05
SETTLED_S = 5.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do wrong. `stall_at_s` counts from the first event taken; the rest name events by their id.

    `delay_ms`: every answer waits this long. `stall_s`: one pause in which nothing is taken. `lose`: never answered.
    `twice`: answered twice. `garbled`: answered with something that is no decision. `swapped`: answered after the next
    event of the same card. `unknown`: so many answers to events nobody sent.
    """

    delay_ms: float = 0.0
    stall_at_s: float = 0.0
    stall_s: float = 0.0
    lose: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()
    garbled: frozenset[str] = frozenset()
    swapped: frozenset[str] = frozenset()
    unknown: int = 0


class _Taken(msgspec.Struct, frozen=True):
    event_id: Identifier
    card_id: Identifier


class Misbehaviour:
    """Turns events into answers as planned. `clock_ns` is monotonic; `send` takes an answer's key and value."""

    def __init__(self, plan: Plan, clock_ns: Callable[[], int], send: Callable[[bytes, bytes], None]) -> None:
        self._plan, self._clock_ns, self._send = plan, clock_ns, send
        self._waiting: deque[tuple[int, str, int]] = deque()
        self._held: dict[str, list[tuple[str, int]]] = {}
        self._decode = msgspec.json.Decoder(_Taken).decode
        self._delay_ns = round(plan.delay_ms * 1e6)
        self._unknown = 0

    def take(self, values: list[bytes], taken_ns: int) -> None:
        """Plan the answers to events taken together."""
        plan = self._plan
        for event in map(self._decode, values):
            if event.event_id in plan.swapped:
                self._held.setdefault(event.card_id, []).append((event.event_id, taken_ns))
                continue
            self._waiting.append((taken_ns + self._delay_ns, event.event_id, taken_ns))
            for held in self._held.pop(event.card_id, []):
                self._waiting.append((taken_ns + self._delay_ns, *held))
        while self._unknown < plan.unknown and values:
            self._unknown += 1
            self._answer(f"nobody-sent-{self._unknown}", taken_ns)

    def emit(self) -> None:
        """Give the answers that are due."""
        now_ns = self._clock_ns()
        while self._waiting and self._waiting[0][0] <= now_ns:
            _, event_id, taken_ns = self._waiting.popleft()
            self._give(event_id, taken_ns)

    def finish(self) -> None:
        """Give all answers that are left, due or not."""
        for _, event_id, taken_ns in self._waiting:
            self._give(event_id, taken_ns)
        for event_id, taken_ns in itertools.chain.from_iterable(self._held.values()):
            self._give(event_id, taken_ns)
        self._waiting.clear()
        self._held.clear()

    @property
    def patience_s(self) -> float:
        """How long nothing is due."""
        if not self._waiting:
            return WAIT_S
        return min(WAIT_S, max(0.0, (self._waiting[0][0] - self._clock_ns()) / 1e9))

    def _give(self, event_id: str, taken_ns: int) -> None:
        plan = self._plan
        if event_id in plan.lose:
            return
        if event_id in plan.garbled:
            self._send(event_id.encode(), b'{"event_id": "' + event_id.encode() + b'", "score": "high"}')
            return
        self._answer(event_id, taken_ns)
        if event_id in plan.twice:
            self._answer(event_id, taken_ns)

    def _answer(self, event_id: str, taken_ns: int) -> None:
        decision = Decision(
            event_id=event_id,
            outcome="approve",
            score=0.0,
            path="rules",
            taken_ns=taken_ns,
            emitted_ns=self._clock_ns(),
        )
        self._send(event_id.encode(), encode(decision))


class _Stop:
    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def serve(plan: Plan, servers: str, events: str, decisions: str, group: str, ready: Path) -> None:
    """Read `events` and answer on `decisions` as planned, until asked to stop."""
    stop, connection = _Stop(), connection_from(servers, None)
    producer, consumer = Producer(producer_config(connection)), Consumer(consumer_config(connection, group))

    def send(key: bytes, value: bytes) -> None:
        producer.produce(decisions, value, key)

    def assigned(_consumer: Any, _partitions: Any) -> None:
        ready.write_text("{}", encoding="utf-8")

    misbehaviour = Misbehaviour(plan, time.monotonic_ns, send)
    consumer.subscribe([events], on_assign=assigned)
    stall_at_ns = 0
    while not stop.asked:
        messages = receive(consumer, BATCH, misbehaviour.patience_s)
        now_ns = time.monotonic_ns()
        values = [message.value() for message in messages if message.error() is None]
        if values and not stall_at_ns:
            stall_at_ns = now_ns + round(plan.stall_at_s * 1e9)
        misbehaviour.take(values, now_ns)
        misbehaviour.emit()
        producer.poll(0)
        if plan.stall_s and stall_at_ns and now_ns >= stall_at_ns:
            producer.flush(SETTLED_S)
            time.sleep(plan.stall_s)
            stall_at_ns = 1 << 62
    misbehaviour.finish()
    producer.flush(SETTLED_S)
    consumer.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plan_file, servers, events, decisions, group, ready = sys.argv[1:]
    serve(msgspec.json.decode(Path(plan_file).read_bytes(), type=Plan), servers, events, decisions, group, Path(ready))
