"""The collecting side of a stream as processes: receivers that stamp, readers if there are several, a collector."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from harness.collector import CollectorPlan, RecordsPlan
from harness.processes import Child, Family
from harness.progress import Live
from harness.reader import ReaderPlan
from harness.receiver import ReceiverPlan
from streams.errors import RunInvalidError

DRAIN_S = 120.0
Starting = Callable[[str, str, msgspec.Struct], Child]
"""Starts a module with its plan, under a name."""


@dataclass(frozen=True, slots=True)
class Collecting:
    """What is collected: the decisions as a receiver takes them, how the collector keeps them, and how many share in
    it."""

    receiver: ReceiverPlan
    collector: CollectorPlan
    collectors: int = 1


@dataclass(slots=True)
class Collection:
    """The started processes, and the live figures the collector keeps."""

    receivers: list[Child]
    readers: list[Child]
    collector: Child
    live: Live
    summary: Path

    @classmethod
    def start(cls, collecting: Collecting, start: Starting) -> "Collection":
        """Start a collector, with a receiver of its own; or several receivers and their readers before it."""
        plan, count = collecting.collector, collecting.collectors
        live = Live.create(Path(plan.progress))
        if count == 1:
            receiver = start("receiver", "harness.receiver", collecting.receiver)
            collector = start("collector", "harness.collector", plan)
            return cls([receiver], [], collector, live, Path(plan.summary))
        receivers, readers, readings = [], [], []
        for share in range(count):
            spool = f"{collecting.receiver.spool}-{share}"
            stamping = msgspec.structs.replace(collecting.receiver, spool=spool, share=share, shares=count)
            reading = _reader_plan(plan, spool, Path(spool).with_name(f"readings-{share}"))
            receivers.append(start(f"receiver-{share}", "harness.receiver", stamping))
            readers.append(start(f"reader-{share}", "harness.reader", reading))
            readings.append(reading.readings)
        ordering = msgspec.structs.replace(plan, spool=None, readings=readings)
        return cls(receivers, readers, start("collector", "harness.collector", ordering), live, Path(plan.summary))

    @property
    def children(self) -> list[Child]:
        """All of them."""
        return [*self.receivers, *self.readers, self.collector]

    def end_receiving(self, family: Family) -> None:
        """Let the receivers read to the end of the topic; the rest follows them."""
        for receiver in self.receivers:
            receiver.ask_to_end()
        for receiver in self.receivers:
            family.stop(receiver)

    def finish(self, family: Family) -> dict[str, Any]:
        """Wait until everything is collected; returns the counts."""
        if self.collector.wait(DRAIN_S) != 0:
            family.check()
            raise (
                self.collector.failure()
                if not self.collector.running
                else RunInvalidError(f"the collector did not end within {DRAIN_S:g} s; see {self.collector.log}")
            )
        for child in (*self.readers, self.collector):
            family.stop(child)
        found: dict[str, Any] = json.loads(self.summary.read_bytes())
        return found


def _reader_plan(plan: CollectorPlan, spool: str, readings: Path) -> ReaderPlan:
    records: RecordsPlan | None = plan.records
    return ReaderPlan(
        feed=plan.feed,
        spool=spool,
        readings=str(readings),
        asked=records.asked if records else "none",
        recorded=records is not None,
        thresholds=records.thresholds if records else None,
    )
