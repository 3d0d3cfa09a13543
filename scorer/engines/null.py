"""The null engine: approves everything, computes nothing. What it costs is the floor under every other engine."""

from typing import Any

import msgspec

from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.engines import Ready, StopSignal
from scorer.engines.partitions import PartitionShare
from scorer.messages import Origin, letter
from streams.codec import UNDECODABLE
from streams.decision import Decision
from streams.transaction import Identifier


class _OnlyId(msgspec.Struct, frozen=True):
    """The one field an echo needs; the rest of the message is skipped."""

    event_id: Identifier


class NullEngine:
    """Echoes an approval for each event."""

    def __init__(
        self, share: PartitionShare, counters: Counters, clock_ns: ClockNs, worker: str, batch_max: int
    ) -> None:
        self._share = share
        self._counters = counters
        self._clock_ns = clock_ns
        self._worker = worker
        self._batch_max = batch_max
        self._decode = msgspec.json.Decoder(_OnlyId).decode

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """See `Engine.run`."""
        self._share.follow(stop, ready, self._batch_max, self._echo)

    def _echo(self, messages: list[Any]) -> None:
        taken_ns = self._clock_ns()
        clock, worker, decode = self._clock_ns, self._worker, self._decode
        echoes: list[Decision] = []
        for message in messages:
            value = message.value() or b""
            try:
                event_id = decode(value).event_id
            except UNDECODABLE as error:
                origin = Origin(message.topic(), message.partition(), message.offset(), message.key())
                self._share.send_dead_letters([letter(str(error), value, origin)])
                continue
            echo = Decision(
                event_id=event_id, outcome="approve", score=0.0, path="rules",
                worker=worker, taken_ns=taken_ns, emitted_ns=clock(),
            )  # fmt: skip
            echoes.append(echo)
        self._share.send(echoes)
        self._share.done(messages)
        sent = len(echoes)
        counters = self._counters
        counters.batches += 1
        counters.taken += sent
        counters.decided += sent
        counters.by_path["rules"] += sent
        counters.by_outcome["approve"] += sent


ENGINE = NullEngine
