"""The in-process engine: events from a file, decisions to a file, no broker. For replays and kernel benchmarks."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.day_table import DayTable
from scorer.clock import ClockNs
from scorer.day_closing import DayCloser, PlaceEvent
from scorer.engines import Ready, StopSignal
from scorer.pipeline import Pipeline
from scorer.table_feed import TableGate
from streams.codec import encode_decision, table_to_transactions
from streams.errors import BadInputError
from streams.labels import DayEnd, Disposition, business_day
from streams.transaction import CardTransaction

LEAD_NS = 200_000_000
"""A paced run starts this long after it is announced."""
NAP_S_MAX = 0.05
SLICE_ROWS = 65_536


class InlineTables:
    """Day tables without a nightly job: the same ledger, closed when a day is first asked for.

    `dispositions` are all that will become known, in the order of `reported_at_ns`; each enters the ledger only before
    the closing of the business day it was reported in.
    """

    def __init__(self, closer: DayCloser, dispositions: Sequence[Disposition]) -> None:
        self._closer = closer
        self._dispositions = sorted(dispositions, key=lambda disposition: disposition.reported_at_ns)
        self._used = 0
        self._ready: list[DayTable] = []

    def add(self, events: Sequence[CardTransaction]) -> None:
        """Events about to be decided."""
        self._closer.add_events(
            [
                PlaceEvent(
                    event_id=event.event_id,
                    event_time_ns=event.event_time_ns,
                    terminal_id=event.terminal_id,
                    merchant_id=event.merchant_id,
                )
                for event in events
            ]
        )

    def wait_for(self, day: int, limit_s: float) -> bool:
        """Close everything up to `day`; at once."""
        del limit_s
        for closing in range(self._closer.next_day, day + 1):
            end = self._used
            while end < len(self._dispositions) and business_day(self._dispositions[end].reported_at_ns) <= closing:
                end += 1
            self._closer.add_dispositions(self._dispositions[self._used : end])
            self._used = end
            self._closer.add_day_end(DayEnd(day=closing, events=0, dispositions=0))
            self._ready += self._closer.close_ready()
        return day < self._closer.next_day

    def take(self) -> list[DayTable]:
        """The tables closed since the last call."""
        taken, self._ready = self._ready, []
        return taken


@dataclass(frozen=True, slots=True)
class Input:
    """What to decide: `events` in arrival order; if paced, when each is due (`offsets_ns` int64 [n] from the start)."""

    events: pa.Table
    offsets_ns: NDArray[np.int64] | None
    decisions_out: Path


class InprocessEngine:
    """Decides a file of events, paced by a schedule or as fast as it can."""

    def __init__(
        self,
        source: Input,
        pipeline: Pipeline,
        tables: InlineTables,
        gate: TableGate,
        *,
        clock_ns: ClockNs,
        batch_max: int,
    ) -> None:
        if source.offsets_ns is not None and len(source.offsets_ns) != len(source.events):
            raise BadInputError(
                f"the schedule has {len(source.offsets_ns)} instants for {len(source.events)} events: it needs one each"
            )
        self._source = source
        self._pipeline = pipeline
        self._tables = tables
        self._gate = gate
        self._clock_ns = clock_ns
        self._batch_max = batch_max

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """See `Engine.run`; ends by itself after the last event."""
        try:
            file = self._source.decisions_out.open("wb")
        except OSError as error:
            raise BadInputError(
                f"--decisions-out {self._source.decisions_out} cannot be written: {error.strerror}"
            ) from error
        with file:
            # A paced run decodes all of its events beforehand, an unpaced one slice by slice.
            rows = SLICE_ROWS if self._source.offsets_ns is None else max(len(self._source.events), 1)
            start_ns: int | None = None
            for first in range(0, max(len(self._source.events), 1), rows):
                if stop.is_set():
                    break
                events = table_to_transactions(self._source.events.slice(first, rows))
                if start_ns is None:
                    start_ns = self._clock_ns() + LEAD_NS
                    ready(start_ns)
                for batch in self._batches(events, start_ns, stop):
                    for line in self._decide(batch):
                        file.write(line)

    def _batches(
        self, events: Sequence[CardTransaction], start_ns: int, stop: StopSignal
    ) -> Iterator[Sequence[CardTransaction]]:
        """The events in micro-batches: of what is due, or of `batch_max` when nothing paces them."""
        due_ns = None if self._source.offsets_ns is None else self._source.offsets_ns + start_ns
        at = 0
        while at < len(events) and not stop.is_set():
            end = min(at + self._batch_max, len(events))
            if due_ns is not None:
                now_ns = self._clock_ns()
                end = min(end, int(np.searchsorted(due_ns, now_ns, side="right")))
                if end <= at:
                    time.sleep(min((int(due_ns[at]) - now_ns) / 1e9, NAP_S_MAX))
                    continue
            yield events[at:end]
            at = end

    def _decide(self, events: Sequence[CardTransaction]) -> list[bytes]:
        taken_ns = self._clock_ns()
        self._tables.add(events)
        batch = self._pipeline.prepare(events)
        waited_ns = self._gate.wait(batch)
        return [
            encode_decision(decision) + b"\n"
            for wave in self._pipeline.decide(batch, taken_ns, waited_ns)
            for decision in wave
        ]


ENGINE = InprocessEngine
