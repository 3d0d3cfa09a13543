"""The Faust engine: one agent, which takes what has arrived as a micro-batch."""

import asyncio
import logging
import tempfile
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
from faust.types import TP

from scorer.checkpoint.keeping import Checkpoints
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.engines import Ready, StopSignal
from scorer.engines.faust_checkpoints import FaustCheckpoints
from scorer.engines.faust_membership import FaustMembership
from scorer.engines.faust_outlet import FaustOutlet, Pending
from scorer.engines.faust_transport import AsTaken, Delivery, KafkaTransport
from scorer.engines.lease import ShareLostError
from scorer.explaining import Explaining
from scorer.kafka_links import SESSION_MS
from scorer.messages import Origin
from scorer.pipeline import Batch, Pipeline
from scorer.table_feed import TableGate
from streams.brokers.connection import KafkaConnection
from streams.codec import encode
from streams.decision import DeadLetter, Decision, Explanation
from streams.errors import BrokerError
from streams.topics import Topics

log = logging.getLogger("riskbench.scorer")

STEP_S = 0.05
START_LIMIT_S = 60.0
FINISH_LIMIT_S = 30.0
COMMIT_EVERY_S = 1.0
BUFFER_MAX = 16_384


@dataclass(frozen=True, slots=True)
class FaustSettings:
    """Where the app reads and writes. The partitions are the real numbers of the two topics."""

    connection: KafkaConnection
    topics: Topics
    group: str
    event_partitions: int
    decision_partitions: int
    batch_max: int
    member: str | None = None
    """Name under which the group knows this worker again when it comes back."""


class _App(faust.App):  # type: ignore[misc]
    """Before partitions are given up, and the producer flushed for that, what is begun is finished."""

    def __init__(self, finish: Callable[[], Awaitable[None]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._finish = finish

    async def _consumer_wait_empty(self, consumer: Any, logger: Any) -> None:
        try:
            await asyncio.wait_for(self._finish(), FINISH_LIMIT_S)
        except TimeoutError:
            log.error("explanations were not finished within %g s: their events are read again", FINISH_LIMIT_S)
        await super()._consumer_wait_empty(consumer, logger)


class FaustEngine:
    """A Faust app without tables, web server or command line: run, and stopped, from our own process.

    Events are acknowledged by hand once their decisions and explanations are with the producer; Faust flushes the
    producer before it commits, so that an offset is committed only after all of it was delivered.
    """

    def __init__(
        self,
        settings: FaustSettings,
        pipeline: Pipeline,
        gate: TableGate,
        explaining: Explaining | None,
        outlet: FaustOutlet,
        *,
        counters: Counters,
        clock_ns: ClockNs,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._gate = gate
        self._explaining = explaining
        self._outlet = outlet
        self._counters = counters
        self._clock_ns = clock_ns
        self._delivery = Delivery()
        self._keeping = None if checkpoints is None else FaustCheckpoints(checkpoints, self._delivery, self._flush)
        self._membership = None if checkpoints is None else FaustMembership(SESSION_MS, clock_ns)
        if self._keeping is not None and self._membership is not None:
            self._membership.tell(self._keeping.lose)
        self._ending = False
        self._failure: BaseException | None = None
        self._app: Any = None

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """See `Engine.run`."""
        with tempfile.TemporaryDirectory(prefix="riskbench-faust-") as folder:
            asyncio.run(self._run(stop, ready, Path(folder)))

    async def _run(self, stop: StopSignal, ready: Ready, folder: Path) -> None:
        self._idle = asyncio.Event()
        self._idle.set()
        app = self._app = self._make_app(folder)
        self._outlet.connect(self._explain, self._break_off)
        app.agent(app.topic(self._settings.topics.events, schema=AsTaken()))(self._agent)
        try:
            await asyncio.wait_for(app.start(), START_LIMIT_S)
            await self._until_assigned(stop)
            if not stop.is_set():
                ready()
            await self._watch(stop)
        except TimeoutError as error:
            raise BrokerError(f"Faust could not start on the broker within {START_LIMIT_S:g} s") from error
        finally:
            await self._finish()
        self._raise_failure()

    def _make_app(self, folder: Path) -> Any:
        settings = self._settings
        host, port = settings.connection.addresses[0]
        app = _App(
            self._hand_over,
            settings.group,
            broker=f"kafka://{host}:{port}",
            datadir=folder,
            autodiscover=False,
            web_enabled=False,
            topic_partitions=settings.event_partitions,
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_buffer_maxsize=BUFFER_MAX,
            stream_wait_empty=False,
            broker_commit_interval=COMMIT_EVERY_S,
            broker_commit_every=1_000_000_000,  # by time only: each commit flushes the producer
            broker_max_poll_records=500,
            broker_session_timeout=SESSION_MS / 1_000,
            broker_request_timeout=40.0,
            broker_heartbeat_interval=2.0,
            consumer_auto_offset_reset="earliest",
            producer_linger=0,
            producer_max_request_size=4_194_304,
        )
        app.transport = KafkaTransport(app.conf.broker_consumer, app, settings.connection, self._delivery)
        app.transport.member = settings.member
        app.transport.restore = None if self._keeping is None else self._restore
        app.transport.membership = self._membership
        app.producer_transport = KafkaTransport(app.conf.broker_producer, app, settings.connection, self._delivery)
        app.producer_transport.membership = self._membership
        return app

    async def _agent(self, stream: Any) -> None:
        stream.enable_acks = False
        self._app.transport.intake = stream.channel.queue
        async for first in stream.events():
            if self._ending:
                await asyncio.Event().wait()  # until the app cancels us: nothing new is begun
            self._idle.clear()
            try:
                await self._decide(stream, self._arrived(stream, first))
                if self._keeping is not None:
                    self._keeping.step()
            except Exception as error:
                self._break_off(error)
                raise
            finally:
                self._idle.set()

    def _break_off(self, error: BaseException) -> None:
        self._failure = error
        self._ending = True

    def _arrived(self, stream: Any, first: Any) -> list[Any]:
        """The first event and all that wait behind it: never a wait for more."""
        events, queue, consumer = [first], stream.channel.queue, self._app.consumer
        generation = self._app.consumer_generation_id
        while len(events) < self._settings.batch_max and not queue.empty():
            event = queue.get_nowait()
            message = event.message
            if message.generation_id != generation:  # of an assignment that has ended: its new owner reads it
                continue
            if not message.tracked:
                message.tracked = True
                consumer.track_message(message)
            events.append(event)
        return events if self._keeping is None else self._keeping.expected(events)

    async def _decide(self, stream: Any, arrived: list[Any]) -> None:
        taken_ns, keeping = self._clock_ns(), self._keeping

        def origin(index: int) -> Origin:
            message = arrived[index].message
            return Origin(message.topic, message.partition, message.offset, message.key)

        async def acknowledge() -> None:
            for event in arrived:
                await stream.ack(event)
            if keeping is not None:
                keeping.end(pending)

        pending = Pending(acknowledge)
        self._outlet.begin(pending)
        if keeping is not None:
            keeping.begin(pending)
        values = [event.message.value or b"" for event in arrived]
        taken = self._pipeline.take(values, origin)
        batch = taken.batch
        decided = self._counters.decided
        lost = None
        try:
            await self._send_dead_letters(taken.dead_letters)
            if batch is not None:
                await self._answer(batch, taken_ns)
        except ShareLostError as error:
            lost = error
            self._counters.given_up += self._counters.decided - decided - error.sent
        if keeping is not None:
            keeping.took(arrived, taken.places, None if batch is None else batch.columns.card)
        if lost is None:
            await pending.settle()

    async def _answer(self, batch: Batch, taken_ns: int) -> None:
        waited_ns = await self._gate.wait_async(batch)
        if self._explaining is not None:
            await self._explaining.wait_for_room_async()
        if self._keeping is not None:
            self._keeping.before(batch.columns.card)
        await self._send(self._pipeline.decide(batch, taken_ns, waited_ns))

    async def _may_answer(self, now_ns: int) -> bool:
        return self._membership is None or await self._membership.may_answer(now_ns)

    async def _send(self, decisions: Iterable[Decision]) -> None:
        send, check = self._app.producer.send, self._delivery.check
        topic, partitions = self._settings.topics.decisions, self._settings.decision_partitions
        for sent, decision in enumerate(decisions):
            if not await self._may_answer(decision.emitted_ns or self._clock_ns()):
                raise ShareLostError(sent)
            key = decision.event_id.encode()
            future = await send(topic, key, encode(decision), zlib.crc32(key) % partitions, None, None)
            future.add_done_callback(check)

    async def _explain(self, explanations: Iterable[Explanation]) -> None:
        send, check = self._app.producer.send, self._delivery.check
        topic, partitions = self._settings.topics.explanations, self._settings.decision_partitions
        for explanation in explanations:
            if not await self._may_answer(self._clock_ns()):
                return  # whoever has the partitions now explains them
            key = explanation.event_id.encode()
            future = await send(topic, key, encode(explanation), zlib.crc32(key) % partitions, None, None)
            future.add_done_callback(check)

    async def _send_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        for letter in letters:
            if self._keeping is not None and self._keeping.lettered(letter.topic, letter.partition, letter.offset):
                continue
            if not await self._may_answer(self._clock_ns()):
                raise ShareLostError
            log.warning("dead letter: %s[%d]@%d: %s", letter.topic, letter.partition, letter.offset, letter.reason)
            self._counters.dead_lettered += 1
            future = await self._app.producer.send(
                self._settings.topics.dead_letter, None, encode(letter), None, None, None
            )
            future.add_done_callback(self._delivery.check)

    async def _until_assigned(self, stop: StopSignal) -> None:
        """Wait until the group has given this worker its share and events flow."""
        assigned = asyncio.Event()

        async def on_assigned(*_: Any, **__: Any) -> None:
            assigned.set()

        self._app.on_partitions_assigned.connect(on_assigned, weak=False)
        while not stop.is_set():
            app = self._app
            self._raise_failure()
            self._raise_if_ended()
            has_share = assigned.is_set() or bool(app.consumer.assignment())
            if has_share and app.flow_control.is_active() and not app.rebalancing:
                return
            await asyncio.sleep(STEP_S)

    async def _watch(self, stop: StopSignal) -> None:
        lag_due_ns = self._clock_ns()
        while not stop.is_set() and not self._ending and self._delivery.failure is None:
            self._raise_if_ended()
            if self._clock_ns() >= lag_due_ns:
                lag_due_ns += 1_000_000_000
                self._counters.lag = self._lag()
            if self._keeping is not None:
                if self._membership is not None:
                    self._membership.lease.check_rejoining(self._clock_ns())
                await self._keeping.serve()
                if self._idle.is_set():
                    self._keeping.step()
            await asyncio.sleep(STEP_S)

    def _raise_if_ended(self) -> None:
        if self._app.should_stop:
            raise BrokerError("Faust has stopped by itself; its messages are in the log")

    def _lag(self) -> int:
        consumer = self._app.consumer
        lag = 0
        for tp in consumer.assignment():
            end, read_offset = consumer.highwater(tp), consumer._read_offset.get(TP(tp.topic, tp.partition))
            if end is not None and read_offset is not None:
                lag += max(0, end - read_offset - 1)
        return lag

    async def _finish(self) -> None:
        """Finish the batch, deliver, commit, leave the group."""
        self._ending = True
        try:
            await asyncio.wait_for(self._idle.wait(), FINISH_LIMIT_S)
            await asyncio.wait_for(self._explained(), FINISH_LIMIT_S)
            if self._app.started:
                await asyncio.wait_for(self._flush(), FINISH_LIMIT_S)
        except TimeoutError:
            log.error("what was begun was not finished within %g s; it will be read again", FINISH_LIMIT_S)
        await self._app.stop()

    async def _hand_over(self) -> None:
        """Before partitions are given up: finish what is begun, and leave their state to their next owner."""
        if self._keeping is None:
            await self._explained()
            return
        await self._idle.wait()
        await self._explained()
        await self._keeping.give_up(tp.partition for tp in self._app.consumer.assignment())

    async def _restore(self, assigned: Any) -> dict[Any, int]:
        if self._keeping is None:
            raise RuntimeError("there are no checkpoints to restore from")
        try:
            return await self._keeping.restore(assigned)
        except Exception as error:
            self._break_off(error)
            raise

    async def _flush(self) -> None:
        await self._app.producer.flush()

    async def _explained(self) -> None:
        """Until every explanation that was asked for is with the producer, or was given up."""
        while not (self._outlet.idle or self._failure or self._delivery.failure):
            await asyncio.sleep(STEP_S)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._delivery.failure is not None:
            raise BrokerError(f"the broker did not take a message: {self._delivery.failure}")


ENGINE = FaustEngine
