"""Faust's Kafka driver over our connection, with a short fetch (its own waits 1.5 s when partitions are idle)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiokafka
import faust
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Producer, Transport

from scorer.engines.faust_membership import FaustMembership
from scorer.engines.lease import ShareLostError
from streams.brokers.connection import KafkaConnection

FETCH_WAIT_MS = 5
"""An idle fetch's longest wait. aiokafka leaves a partition out of the next fetch while records of it are still to be
consumed, so what arrives there meanwhile waits until that fetch ends: by new records elsewhere, or by this limit."""

FETCH_BYTES_MAX = 1_048_576
FETCH_TIMEOUT_S = 1.0


Restore = Callable[[Any], Awaitable[dict[Any, int]]]


class _ConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Fetches in a thread with an event loop of its own."""

    async def on_start(self) -> None:
        """Begin, and take note of heartbeats from the first one on."""
        await super().on_start()
        membership = self.transport.membership
        if membership is not None:
            membership.watch(self._ensure_consumer()._coordinator, self.thread_loop)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = RoundRobinPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            **transport.connection.for_aiokafka(),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=transport.member,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset=conf.consumer_auto_offset_reset,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            check_crcs=conf.broker_check_crcs,
        )


class _Consumer(Consumer):  # type: ignore[misc]
    """Hands on what one fetch brought in one go, so that the agent finds it as one micro-batch.

    Faust's own loop makes two tasks for each message and lets the agent wake between them: micro-batches of one.
    Commits nothing once a decision could not be delivered.
    """

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await asyncio.sleep(0)
                async for tp, message in self.getmany(timeout=FETCH_TIMEOUT_S):
                    await self._hand_on(tp, message)
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise

    async def _hand_on(self, tp: Any, message: Any) -> None:
        read_offset = self._read_offset[tp]
        if read_offset is not None and message.offset < read_offset:
            return
        if read_offset and message.offset > read_offset + 1:  # offsets that hold no message, as after compaction
            await self._add_gap(tp, read_offset + 1, message.offset)
        if self.transport.has_room():
            await self.callback(message)  # does not wait: the agent wakes when the whole fetch is handed on
        else:
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
        self._read_offset[tp] = message.offset

    async def perform_seek(self) -> None:
        """After a rebalance: to where the partitions' state is, or, without checkpoints, to what was committed."""
        restore = self.transport.restore
        if restore is None:
            await super().perform_seek()
            return
        if self.transport.membership is not None:
            self.transport.membership.assigned()
        for tp, offset in (await restore(self.assignment())).items():
            for known in (self._acked, self._acked_index, self._gap):
                known.pop(tp, None)
            await self.seek(tp, offset)
            self._committed_offset[tp] = offset or None

    async def _commit(self, offsets: Any) -> bool:
        if self.transport.delivery.failure is not None:
            return False
        return bool(await super()._commit(offsets))


class _Producer(Producer):  # type: ignore[misc]
    """Faust's producer over our connection."""

    async def on_start(self) -> None:
        """Begin, and guard what is sent from the first message on."""
        await super().on_start()
        if self.transport.membership is not None:
            self.transport.membership.guard(self._ensure_producer()._sender)

    def _settings_default(self) -> dict[str, Any]:
        settings = dict(super()._settings_default())
        settings.update(self.transport.connection.for_aiokafka())
        settings["enable_idempotence"] = True
        settings["acks"] = "all"
        return settings

    def _settings_auth(self) -> dict[str, Any]:
        return {}


class AsTaken(faust.Schema):  # type: ignore[misc]
    """Keys and values as the bytes they are, which the agent decodes by the micro-batch. Faust's own way to bytes, its
    `raw` serializer, looks up two codecs and a dozen settings for each message: an eighth of what an event costs."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[Any]]:
        """See `faust.Schema.compile`."""
        make: Any = faust.Event

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return make(app, message.key, message.value, message.headers, message)

        return decode


class Delivery:
    """The first message that the broker did not take, if any; and, by topic and partition, the offset that follows the
    last one it took."""

    def __init__(self) -> None:
        self.failure: str | None = None
        self.reached: dict[tuple[str, int], int] = {}

    def check(self, future: Any) -> None:
        """A done-callback of a sent message."""
        if future.cancelled():
            return
        error = future.exception()
        if isinstance(error, ShareLostError):
            return  # never sent: whoever has the partitions now says it
        if error is None:
            taken = future.result()
            self.reached[(taken.topic, taken.partition)] = taken.offset + 1
        elif self.failure is None:
            self.failure = str(error)


class KafkaTransport(Transport):  # type: ignore[misc]
    """Transport of one app, over one connection."""

    Consumer = _Consumer
    Producer = _Producer

    def __init__(self, url: Any, app: Any, connection: KafkaConnection, delivery: Delivery) -> None:
        super().__init__(url, app)
        self.connection = connection
        self.delivery = delivery
        self.member: str | None = None
        """Name under which the group knows the consumer again."""
        self.restore: Restore | None = None
        """Takes partitions over with their state; the offsets to read them from."""
        self.membership: FaustMembership | None = None
        """Says whether the consumer's partitions are still its own."""
        self.intake: Any = None
        """The agent's queue, once it has one."""

    def has_room(self) -> bool:
        """Whether a message can be handed to the agent without waiting."""
        return self.intake is not None and self.app.flow_control.is_active() and not self.intake.full()
