"""A window before the producer of a topic that has one order: what librdkafka would hold back is held back here.

An idempotent librdkafka (2.16) lets no more than five messages of a partition be on their way, and those that wait
behind them keep its thread looking for a way to send them, without a pause, until a report comes: most of a core where
the broker takes some milliseconds for two thousand messages a second. Here they wait asleep, in their order, and leave
together when there is room, as they would have.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

Report = Callable[[Any, Any], None]
"""Called with an error, if any, and the message, when the broker has taken it or has not."""
ON_THE_WAY_MAX = 5
"""With so many messages handed over and not reported yet the next one waits: librdkafka's own bound."""
WAITING_MAX = 100_000
"""Messages that wait at most: as with a producer whose queue is full, the next one is refused (`BufferError`)."""
LOOK_AGAIN_S = 0.0002
"""Between two looks for reports while messages wait."""


class Producing(Protocol):
    """What is asked of a Kafka producer (confluent-kafka's)."""

    def produce(self, topic: str, value: bytes, key: bytes | None = None, *, on_delivery: Report = ...) -> None: ...
    def poll(self, timeout: float) -> int: ...
    def flush(self, timeout: float) -> int: ...


class Window:
    """A producer for messages of one partition. What is not handed over yet goes with the next `poll`, `produce` or
    `nap`; `flush` counts what is left of it. `delivered` gets the reports that nobody else asked for."""

    def __init__(
        self, producer: Producing, delivered: Report, now_ns: Callable[[], int], sleep: Callable[[float], None]
    ) -> None:
        self._producer, self._delivered, self._now_ns, self._sleep = producer, delivered, now_ns, sleep
        self._waiting: deque[tuple[str, bytes, bytes | None, Report]] = deque()
        self._on_the_way = 0

    def produce(self, topic: str, value: bytes, key: bytes | None = None, *, on_delivery: Report | None = None) -> None:
        """Hand a message over, or keep it until those before it are reported. `BufferError`: too many wait."""
        if len(self._waiting) >= WAITING_MAX:
            raise BufferError(f"{WAITING_MAX:,} messages wait for the broker")
        self._waiting.append((topic, value, key, on_delivery or self._delivered))
        if self._on_the_way >= ON_THE_WAY_MAX:
            self._producer.poll(0)
        self._hand_over()

    def poll(self, timeout: float) -> int:
        """As the producer's."""
        served = self._producer.poll(timeout)
        self._hand_over()
        return served

    def flush(self, timeout: float) -> int:
        """As the producer's."""
        until_ns = self._now_ns() + round(timeout * 1e9)
        while self._waiting and (left_ns := until_ns - self._now_ns()) > 0:
            self.nap(left_ns / 1e9)
        return self._producer.flush(max(0.0, (until_ns - self._now_ns()) / 1e9)) + len(self._waiting)

    def nap(self, seconds: float) -> None:
        """Sleep so long, handing over meanwhile what waits."""
        until_ns = self._now_ns() + round(seconds * 1e9)
        while self._waiting and (left_ns := until_ns - self._now_ns()) > 0:
            self.poll(0)
            if self._waiting:
                self._sleep(min(left_ns / 1e9, LOOK_AGAIN_S))
        if (left_ns := until_ns - self._now_ns()) > 0:
            self._sleep(left_ns / 1e9)

    def _hand_over(self) -> None:
        """All that waits, once there is room: it makes one request."""
        if self._on_the_way >= ON_THE_WAY_MAX:
            return
        while self._waiting:
            topic, value, key, report = self._waiting[0]
            try:
                self._producer.produce(topic, value, key, on_delivery=partial(self._report, report))
            except BufferError:  # the queue is full: with the next poll
                return
            self._waiting.popleft()
            self._on_the_way += 1

    def _report(self, report: Report, error: Any, message: Any) -> None:
        self._on_the_way -= 1
        report(error, message)
