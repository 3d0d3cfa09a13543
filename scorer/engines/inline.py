"""Deciding without a broker: events from memory, day tables closed as they are asked for, decisions to a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scorer.clock import ClockNs
from scorer.explaining import Explaining
from scorer.inline_tables import InlineTables
from scorer.pipeline import Pipeline
from scorer.table_feed import TableGate
from streams.decision import Decision
from streams.errors import BadInputError
from streams.transaction import CardTransaction


@dataclass(frozen=True, slots=True)
class InlineDecider:
    """The pipeline and the day tables it needs, in the one thread that decides."""

    pipeline: Pipeline
    tables: InlineTables
    gate: TableGate
    clock_ns: ClockNs
    explaining: Explaining | None = None

    def decide(self, events: Sequence[CardTransaction]) -> Iterator[Decision]:
        """Take a micro-batch now; its decisions, each emitted as the caller asks for it. All must be used up."""
        taken_ns = self.clock_ns()
        self.tables.add(events)
        batch = self.pipeline.prepare(events)
        waited_ns = self.gate.wait(batch)
        if self.explaining is not None:
            self.explaining.wait_for_room()
        return self.pipeline.decide(batch, taken_ns, waited_ns)


def open_decisions(path: Path) -> BinaryIO:
    """The file for decisions (JSON lines). Raises `BadInputError` when it cannot be written."""
    try:
        return path.open("wb")
    except OSError as error:
        raise BadInputError(f"--decisions-out {path} cannot be written: {error.strerror}") from error
