"""The native engine: confluent-kafka, micro-batches of whatever has arrived."""

from collections.abc import Sequence
from typing import Any

from scorer.checkpoint.keeping import NO_CARDS, Checkpoints
from scorer.clock import ClockNs
from scorer.engines import Ready, StopSignal
from scorer.engines.lease import ShareLostError
from scorer.engines.partitions import PartitionShare
from scorer.explaining import Explaining
from scorer.messages import Origin
from scorer.pipeline import Batch, Pipeline
from scorer.table_feed import TableGate


class NativeEngine:
    """Takes what has arrived (at most `batch_max` messages), decides it, produces the decisions, commits behind."""

    def __init__(
        self,
        share: PartitionShare,
        pipeline: Pipeline,
        gate: TableGate,
        explaining: Explaining | None,
        *,
        clock_ns: ClockNs,
        batch_max: int,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self._share = share
        self._checkpoints = checkpoints
        self._explaining = explaining
        if explaining is not None:
            share.settle_after(explaining.drain)
        self._pipeline = pipeline
        self._gate = gate
        self._clock_ns = clock_ns
        self._batch_max = batch_max

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """See `Engine.run`."""
        self._share.follow(stop, ready, self._batch_max, self._decide)

    def _decide(self, messages: list[Any]) -> None:
        taken_ns, decided = self._clock_ns(), self._pipeline.counters.decided

        def origin(index: int) -> Origin:
            message = messages[index]
            return Origin(message.topic(), message.partition(), message.offset(), message.key())

        taken = self._pipeline.take([message.value() or b"" for message in messages], origin)
        batch = taken.batch
        try:
            self._share.send_dead_letters(taken.dead_letters)
            if batch is not None:
                self._send(batch, taken_ns)
        except ShareLostError as lost:
            self._pipeline.counters.given_up += self._pipeline.counters.decided - decided - lost.sent
            self._share.lose()
            self._enter(messages, taken.places, batch)
            return
        self._enter(messages, taken.places, batch)
        self._share.done(messages)

    def _send(self, batch: Batch, taken_ns: int) -> None:
        waited_ns = self._gate.wait(batch)
        if self._explaining is not None:
            self._explaining.wait_for_room()
        if self._checkpoints is not None:
            self._checkpoints.before(batch.columns.card)
        self._share.send_words(self._pipeline.write(batch, taken_ns, waited_ns))

    def _enter(self, messages: list[Any], places: Sequence[int], batch: Batch | None) -> None:
        """The state has taken these messages in."""
        if self._checkpoints is not None:
            cards = NO_CARDS if batch is None else batch.columns.card
            whence = [message.partition() for message in messages], [message.offset() for message in messages]
            self._checkpoints.took(cards, places, *whence)


ENGINE = NativeEngine
