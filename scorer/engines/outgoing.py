"""Decisions on their way to the broker: while some are not acknowledged, the next ones wait, and leave together."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from scorer.engines.acknowledged import AcknowledgedOffsets

ON_THE_WAY_MAX = 4
"""With so many sendings handed over and not acknowledged the next ones wait. A broker that answers within some
milliseconds is never so far behind at a few thousand a second: there, waiting would only cost time. One that is busy is
asked less often."""
WAITING_MAX = 20_000
"""Decisions that wait at most: then whoever decides waits too."""
ROOM_S = 0.05
MANY, FEW = 128, 32
"""Of a micro-batch with so many decisions they leave through the producer that gathers, from then on until there are
few in one again: then nobody notices the time it waits, and the broker is asked a fraction as often."""


class Outgoing:
    """Hands decisions to a confluent-kafka producer, in their order. One thread sends; others may serve deliveries.

    An idempotent librdkafka (2.16) lets no more than five requests of a partition be on their way, and what waits
    behind them keeps its thread looking for a way to send it, without a pause. Here it waits asleep, and one request
    takes all of a partition. `allowed` says whether what waited may still be sent.

    While one producer's decisions are on their way the other's wait, so that all arrive in their order.
    """

    def __init__(
        self,
        producer: Any,
        topic: str,
        offsets: AcknowledgedOffsets,
        allowed: Callable[[], bool],
        gathering: Any = None,
    ) -> None:
        """`offsets` follow what is sent until it is acknowledged. `producer` sends at once, `gathering`, if there is
        one, lets messages gather for a moment (`ProducerSettings.linger_ms`)."""
        self._prompt, self._gathering = producer, gathering or producer
        self._producer = self._wanted = producer
        self._topic, self._offsets, self._allowed = topic, offsets, allowed
        self._waiting: list[dict[str, Any]] = []
        self._sendings_waiting = 0
        self._on_the_way = 0
        self._no_room = False
        self._counting = threading.Lock()

    def expect(self, decisions: int) -> bool:
        """So many are about to come; whether they will be sent by a producer that lets them gather anyway."""
        if decisions >= MANY:
            self._wanted = self._gathering
        elif decisions < FEW:
            self._wanted = self._prompt
        return self._wanted is not self._prompt

    @property
    def waiting(self) -> int:
        """Decisions that are not handed over yet."""
        return len(self._waiting)

    def send(self, keys: Sequence[str], values: Sequence[bytes]) -> None:
        """Send messages of these keys (in UTF-8) and values, now or as soon as there is room. Raises `BrokerError` when
        a message could not be delivered: nobody waits for room any longer then."""
        delivered = self._offsets.follow(len(values), self._arrived)
        self._waiting += [
            {"key": key, "value": value, "callback": delivered} for key, value in zip(keys, values, strict=True)
        ]
        self._sendings_waiting += 1
        if self._on_the_way >= ON_THE_WAY_MAX:
            self._producer.poll(0)
        self._hand_over()
        while len(self._waiting) > WAITING_MAX:
            self._make_room()

    def serve(self) -> None:
        """Serve deliveries; send what waits, if there is room by now."""
        self._producer.poll(0)
        if self._producer is not self._prompt:  # others send through it too
            self._prompt.poll(0)
        if self._waiting and self._allowed():
            self._hand_over()

    def flush(self, limit_s: float, clock_ns: Callable[[], int]) -> bool:
        """Hand over all that waits, and wait until it is delivered; False when that takes longer than `limit_s`."""
        until_ns = clock_ns() + round(limit_s * 1e9)
        while self._waiting and clock_ns() < until_ns:
            self.serve()
            if self._waiting:
                self._make_room()
        left_s = max(0.0, (until_ns - clock_ns()) / 1e9)
        return not self._waiting and self._producer.flush(left_s) == 0

    def drop(self) -> int:
        """Forget what waits: it is another worker's to decide. How many that were."""
        dropped, self._waiting = self._waiting, []
        with self._counting:
            self._on_the_way += self._sendings_waiting
        self._sendings_waiting, self._no_room = 0, False
        for message in dropped:  # nobody waits for them any longer
            message["callback"](None, None)
        return len(dropped)

    def _make_room(self) -> None:
        self._producer.poll(ROOM_S)
        self._offsets.raise_failure()
        if self._allowed():
            self._hand_over()

    def _hand_over(self) -> None:
        if self._wanted is not self._producer and self._on_the_way == 0:
            self._producer = self._wanted
        free = 1 if self._wanted is not self._producer else ON_THE_WAY_MAX
        if self._on_the_way >= free and not self._no_room:
            return
        messages, self._waiting = self._waiting, []
        with self._counting:
            self._on_the_way += self._sendings_waiting
        self._sendings_waiting = 0
        taken = self._producer.produce_batch(self._topic, messages)
        self._no_room = taken < len(messages)  # a sending that is out in part must go on: nothing else frees its place
        if self._no_room:
            self._waiting = _refused(messages)

    def _arrived(self) -> None:
        with self._counting:
            self._on_the_way -= 1


def _refused(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that found the producer's queue full. Raises `KafkaException` for one refused for another reason."""
    refused = [message for message in messages if "_error" in message]
    for message in refused:
        error = message.pop("_error")
        if error.code() != KafkaError._QUEUE_FULL:
            raise KafkaException(error)
    return refused
