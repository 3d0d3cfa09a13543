"""The in-process engine: events from a file, decisions to a file, no broker. For replays and kernel benchmarks."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scorer.clock import ClockNs
from scorer.engines import Ready, StopSignal
from scorer.engines.inline import open_decisions
from scorer.explaining import Explaining
from streams.codec import encode, encode_decision, table_to_transactions
from streams.decision import Decision, Explanation
from streams.errors import BadInputError

LEAD_NS = 200_000_000
"""A paced run starts this long after it is announced."""
NAP_S_MAX = 0.05
SLICE_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Input:
    """What to decide: `events` in arrival order; if paced, when each is due (`offsets_ns` int64 [n] from the start)."""

    events: pa.Table
    offsets_ns: NDArray[np.int64] | None
    decisions_out: Path


class ExplanationsFile:
    """Explanations as JSON lines (`scorer.explaining.Outlet`). A context."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise BadInputError(f"--explanations-out {path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def expect(self, count: int) -> list[None]:
        """Nothing is committed here: empty receipts."""
        return [None] * count

    def publish(self, explanations: Sequence[Explanation], receipts: Sequence[None]) -> None:
        """Write them."""
        del receipts
        self._file.writelines(encode(explanation) + b"\n" for explanation in explanations)

    def give_up(self, receipts: Sequence[None]) -> None:
        """Nothing to be done: they are counted."""


class Decider(Protocol):
    """Decides micro-batches in the one thread there is (`scorer.engines.inline.InlineDecider`)."""

    @property
    def explaining(self) -> Explaining | None:
        """The thread that explains, if there is one."""
        ...

    def decide(self, events: Sequence[Any]) -> Iterator[Decision]:
        """Take a micro-batch now; its decisions, each emitted as the caller asks for it. All must be used up."""
        ...


class Holds(Protocol):
    """Says how far event time may go (`scorer.rollout.holding.Holding`)."""

    @property
    def held_ns(self) -> int:
        """How long it has stood still, in all."""
        ...

    def room(self, times_ns: NDArray[np.int64]) -> int:
        """How many of these next events may be taken now."""
        ...

    def wait(self) -> None:
        """There was no room: stand still for a moment."""


class InprocessEngine:
    """Decides a file of events, paced by a schedule or as fast as it can. `messages` makes them of columns."""

    def __init__(
        self,
        source: Input,
        decider: Decider,
        *,
        clock_ns: ClockNs,
        batch_max: int,
        messages: Callable[[pa.Table], Sequence[Any]] = table_to_transactions,
        holding: Holds | None = None,
    ) -> None:
        if source.offsets_ns is not None and len(source.offsets_ns) != len(source.events):
            raise BadInputError(
                f"the schedule has {len(source.offsets_ns)} instants for {len(source.events)} events: it needs one each"
            )
        self._source = source
        self._decider = decider
        self._clock_ns = clock_ns
        self._batch_max = batch_max
        self._messages = messages
        self._holding = holding

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """See `Engine.run`; ends by itself after the last event."""
        with open_decisions(self._source.decisions_out) as file:
            # A paced run decodes all of its events beforehand, an unpaced one slice by slice.
            rows = SLICE_ROWS if self._source.offsets_ns is None else max(len(self._source.events), 1)
            start_ns: int | None = None
            for first in range(0, max(len(self._source.events), 1), rows):
                if stop.is_set():
                    break
                part = self._source.events.slice(first, rows)
                events = self._messages(part)
                if start_ns is None:
                    start_ns = self._clock_ns() + LEAD_NS
                    ready(start_ns)
                for batch in self._batches(events, part["event_time_ns"].to_numpy(), start_ns, stop, file.flush):
                    file.writelines([encode_decision(d) + b"\n" for d in self._decider.decide(batch)])
            if self._decider.explaining is not None:
                self._decider.explaining.drain()

    def _batches(
        self,
        events: Sequence[Any],
        times_ns: NDArray[np.int64],
        start_ns: int,
        stop: StopSignal,
        flush: Callable[[], object],
    ) -> Iterator[Sequence[Any]]:
        """The events in micro-batches: of what is due, or of `batch_max` when nothing paces them. Where event time is
        held, what was decided up to there is in the file, and what comes after it is due that much later."""
        holding = self._holding
        due_ns = None if self._source.offsets_ns is None else self._source.offsets_ns + start_ns
        at = 0
        while at < len(events) and not stop.is_set():
            end = min(at + self._batch_max, len(events))
            if holding is not None:
                end = at + holding.room(times_ns[at:end])
                if end == at:
                    flush()
                    holding.wait()
                    continue
            if due_ns is not None:
                now_ns = self._clock_ns() - (0 if holding is None else holding.held_ns)
                end = min(end, int(np.searchsorted(due_ns, now_ns, side="right")))
                if end <= at:
                    time.sleep(min((int(due_ns[at]) - now_ns) / 1e9, NAP_S_MAX))
                    continue
            yield events[at:end]
            at = end


ENGINE = InprocessEngine
