"""Transfers through a broker: taken in their one order, decided, alerts and decisions produced, committed behind."""

from collections.abc import Collection
from typing import Any

from scorer.aml.keeping import TransferCheckpoints
from scorer.aml.pipeline import TransferPipeline
from scorer.aml.reading import TakenTransfers, read_transfers
from scorer.clock import ClockNs
from scorer.engines import Ready, StopSignal
from scorer.engines.lease import ShareLostError
from scorer.engines.partitions import PartitionShare
from scorer.explaining import Explaining
from scorer.messages import Origin


class TransferEngine:
    """Takes what has arrived (at most `batch_max` messages), decides it, produces the answers, commits behind."""

    def __init__(
        self,
        share: PartitionShare,
        pipeline: TransferPipeline,
        explaining: Explaining | None,
        *,
        currencies: Collection[str],
        clock_ns: ClockNs,
        batch_max: int,
        checkpoints: TransferCheckpoints | None = None,
    ) -> None:
        self._share = share
        self._checkpoints = checkpoints
        self._explaining = explaining
        if explaining is not None:
            share.settle_after(explaining.drain)
        self._pipeline = pipeline
        self._currencies = currencies
        self._clock_ns = clock_ns
        self._batch_max = batch_max

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """See `Engine.run`."""
        self._share.follow(stop, ready, self._batch_max, self._decide)

    def _decide(self, messages: list[Any]) -> None:
        taken_ns, counters = self._clock_ns(), self._pipeline.counters
        decided = counters.decided

        def origin(index: int) -> Origin:
            message = messages[index]
            return Origin(message.topic(), message.partition(), message.offset(), message.key())

        taken = read_transfers([message.value() or b"" for message in messages], origin, self._currencies)
        try:
            self._answer(taken, taken_ns)
        except ShareLostError as lost:
            counters.given_up += counters.decided - decided - lost.sent
            self._share.lose()
            return
        if self._checkpoints is not None:
            self._checkpoints.took(messages[-1].offset() + 1)
        self._share.done(messages)

    def _answer(self, taken: TakenTransfers, taken_ns: int) -> None:
        self._share.send_dead_letters(taken.dead_letters)
        if not taken.transfers:
            return
        if self._explaining is not None:
            self._explaining.wait_for_room()
        answers = self._pipeline.answer(taken.transfers, taken_ns)
        self._share.send_alerts(answers.alerts)
        self._share.send(answers.decisions)
