"""Decisions on their way to the broker: while some are not acknowledged, the next ones wait, and leave together."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException

ON_THE_WAY_MAX = 64
"""With so many decisions handed over and not acknowledged the next ones wait. A broker that answers within some
milliseconds is never so far behind at a few thousand a second: there, waiting would only cost time. One that is busy is
asked less often."""
WAITING_MAX = 20_000
"""Decisions that wait at most: then whoever decides waits too."""
ROOM_S = 0.05

Delivered = Callable[[Any, Any], None]


class Outgoing:
    """Hands decisions to a confluent-kafka producer, in their order. One thread sends; others may serve deliveries.

    An idempotent librdkafka (2.16) lets no more than five messages of a partition be on their way, and those that wait
    behind them keep its thread looking for a way to send them, without a pause. Here they wait asleep, and one request
    takes all of a partition. `allowed` says whether what waited may still be sent.
    """

    def __init__(self, producer: Any, topic: str, allowed: Callable[[], bool], check: Callable[[], None]) -> None:
        """`check` raises when a message could not be delivered: nobody waits for room any longer then."""
        self._producer, self._topic, self._allowed, self._check = producer, topic, allowed, check
        self._waiting: list[dict[str, Any]] = []
        self._on_the_way = 0
        self._counting = threading.Lock()

    @property
    def waiting(self) -> int:
        """Decisions that are not handed over yet."""
        return len(self._waiting)

    def send(self, messages: Sequence[tuple[bytes, bytes]], delivered: Delivered) -> None:
        """Send keys and values, now or as soon as there is room; `delivered` is called for each of them."""
        report = partial(self._report, delivered)
        self._waiting += [{"key": key, "value": value, "callback": report} for key, value in messages]
        if self._on_the_way >= ON_THE_WAY_MAX:
            self._producer.poll(0)
        self._hand_over()
        while len(self._waiting) > WAITING_MAX:
            self._make_room()

    def serve(self) -> None:
        """Serve deliveries; send what waits, if there is room by now."""
        self._producer.poll(0)
        if self._waiting and self._allowed():
            self._hand_over()

    def flush(self, limit_s: float, clock_ns: Callable[[], int]) -> bool:
        """Hand over all that waits; False when that takes longer than `limit_s`."""
        until_ns = clock_ns() + round(limit_s * 1e9)
        while self._waiting and clock_ns() < until_ns:
            self.serve()
            if self._waiting:
                self._make_room()
        return not self._waiting

    def drop(self) -> int:
        """Forget what waits: it is another worker's to decide. How many that were."""
        dropped, self._waiting = len(self._waiting), []
        return dropped

    def _make_room(self) -> None:
        self._producer.poll(ROOM_S)
        self._check()
        if self._allowed():
            self._hand_over()

    def _hand_over(self) -> None:
        if self._on_the_way >= ON_THE_WAY_MAX:
            return
        messages, self._waiting = self._waiting, []
        taken = self._producer.produce_batch(self._topic, messages)
        with self._counting:
            self._on_the_way += taken
        if taken < len(messages):
            self._waiting = _refused(messages)

    def _report(self, delivered: Delivered, error: Any, message: Any) -> None:
        with self._counting:
            self._on_the_way -= 1
        delivered(error, message)


def _refused(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that found the producer's queue full. Raises `KafkaException` for one refused for another reason."""
    refused = [message for message in messages if "_error" in message]
    for message in refused:
        error = message.pop("_error")
        if error.code() != KafkaError._QUEUE_FULL:
            raise KafkaException(error)
    return refused
