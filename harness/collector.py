"""The collector process: matches what the receiver stamped, and writes decisions.parquet as it goes, with the audit
trail beside it.

It reads the messages itself, or puts in order what several readers (`harness.reader`) have read.

Run as `python -m harness.collector PLAN`. Ends when the receivers have ended and everything is read; where explanations
are recorded, when they were read too.
"""

import gc
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.accounts import DUPLICATE, LATE, UNKNOWN, Accounts
from harness.audit_trail.bodies import Bodies
from harness.audit_trail.records import Opening, Thresholds
from harness.audit_trail.writer import AuditTrail
from harness.decision_rows import EventTimes, lost_rows, open_rows, timed_rows
from harness.decision_wire.arrived import Arrived, arrived_in
from harness.decision_wire.rehearsal import rehearse
from harness.decision_wire.texts import Texts
from harness.explanations import EXPLANATION_ROWS_SCHEMA, Asked, Explanations
from harness.late_scores import record_late_scores
from harness.pages import Pages
from harness.progress import Live
from harness.reading import Int64s, Reader, Reading, Said, Unreadable
from harness.receipt_order import ReceiptOrder
from harness.spool import Found, SpoolReader, Stamped, stamped_in
from streams.decision import PATHS
from streams.priority import LAST, claim_priority

logger = logging.getLogger("riskbench.harness.collector")
ROWS_PER_GROUP = 8_192
IDLE_S = 0.02
GATHER_S = 0.05
"""So long messages are left to gather where fewer than `MANY` have come: taking them costs something however few they
are, of processors that scorer and broker need too, and nobody waits for the counts."""
MANY = 1_000
WINDOW_NS = 1_000_000_000
KINDS = {UNKNOWN: "unknown", DUPLICATE: "duplicate"}
"""Of records, by what stands in place of an ordinal."""


class RecordsPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a run beside its decisions: the audit trail and the explanations. `asked` says which decisions of
    the model are to be explained; in `logs` the workers leave their late scores."""

    audit: str
    opening: Opening
    thresholds: Thresholds | None
    explanations: str
    asked: Asked
    logs: str | None = None


class CollectorPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to match against and where rows go. Times in ns; `measured_from` is the first ordinal after the warm-up.
    `explanations_spool` brings the explanations after the decisions, where `records` are kept. Where several readers
    have read the messages, `readings` are the spools they hand over; `spool` is what a receiver stamped, else."""

    feed: str
    spool: str | None = None
    readings: list[str] = []
    sent: str
    start_file: str
    events: str
    timeout_ns: int
    measured_from: int
    out: str
    progress: str
    summary: str
    records: RecordsPlan | None = None
    explanations_spool: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """The open audit trail and the explanations of a run."""

    trail: AuditTrail
    explanations: Explanations
    bodies: Bodies
    asked: Asked
    logs: Path | None = None


@contextmanager
def open_records(plan: RecordsPlan, accounts: Accounts, feed: Path, measured_from: int) -> Iterator[Records]:
    """Begin the audit trail and explanations.parquet."""
    sent = Pages(feed / "messages")
    bodies = Bodies.of_pages(plan.thresholds, sent)
    trail = AuditTrail(Path(plan.audit), plan.opening, plan.thresholds, sent.__getitem__)
    with pq.ParquetWriter(plan.explanations, EXPLANATION_ROWS_SCHEMA, compression="zstd") as writer:
        explanations = Explanations(accounts, writer, asked=plan.asked, measured_from=measured_from, trail=trail)
        yield Records(trail, explanations, bodies, plan.asked, Path(plan.logs) if plan.logs else None)


@dataclass(frozen=True, slots=True)
class Rows:
    """Answers that count, not yet written: what they say, when they were received, their ordinals."""

    said: Said
    received_ns: npt.NDArray[np.int64]
    ordinals: npt.NDArray[np.int64]


def _record_answers(trail: AuditTrail, bodies: Texts, ordinals: Int64s, late: npt.NDArray[np.bool_]) -> None:
    """Those that count by the run, the others one by one."""
    done = 0
    for at in [*np.flatnonzero(ordinals < 0).tolist(), len(ordinals)]:
        if at > done:
            trail.decisions(bodies.part(slice(done, at)), late[done:at])
        if at < len(ordinals):
            trail.answer(KINDS[int(ordinals[at])], bodies[at], late=False)
        done = at + 1


class Collector:
    """Takes what was read in the order of receipt: settles whose answer counts, keeps the counts, the records and the
    rows not yet written."""

    def __init__(
        self,
        accounts: Accounts,
        times: EventTimes,
        writer: pq.ParquetWriter,
        live: Live,
        records: Records | None = None,
    ) -> None:
        self.accounts, self._times, self._writer, self._live = accounts, times, writer, live
        self._records = records
        bodies = records.bodies if records else None
        self._reader = Reader(accounts.index, records.asked if records else "none", bodies)
        self._rows: list[Rows] = []
        self._rows_held = 0
        self._recent: list[npt.NDArray[np.int64]] = []
        self._window_ends_ns = 0
        self.received_bytes = 0
        self.malformed = 0
        self.first_malformed: str | None = None
        self.by_path = dict.fromkeys(PATHS, 0)

    def take(self, stamped: list[Stamped] | Arrived) -> None:
        """Read messages that come after all that were taken, and settle them."""
        self.settle(self._reader.read(stamped))

    def settle(self, reading: Reading) -> None:
        """Match, count, record, and write a row group when enough rows have gathered."""
        self.received_bytes += reading.size_bytes
        if reading.unreadable:
            self._count_malformed(reading.unreadable)
        ordinals = self.accounts.settle(reading.ordinals, reading.received_ns)
        counts = ordinals >= 0
        matched, received_ns = ordinals[counts], reading.received_ns[counts]
        for path, count in zip(PATHS, np.bincount(reading.paths[counts], minlength=len(PATHS)).tolist(), strict=True):
            self.by_path[path] += count
        self._rows.append(Rows(reading.said.chosen(counts), received_ns, matched))
        self._rows_held += len(matched)
        if len(matched):  # a second may bring nothing that counts
            self._recent.append(received_ns - self.accounts.intended_ns[matched])
        if self._records is not None:
            self._records.explanations.expect(matched, reading.flags[counts])
            self._record(self._records.trail, reading, ordinals)
        if self._rows_held >= ROWS_PER_GROUP:
            self.write()

    def _record(self, trail: AuditTrail, reading: Reading, ordinals: Int64s) -> None:
        """One audit record a message, in the order of receipt."""
        late = (ordinals >= 0) & (self.accounts.state[ordinals] == LATE)
        bodies = reading.bodies or Texts.of([])
        done = 0
        for each in [*reading.unreadable, None]:
            part = slice(done, len(reading) if each is None else each.before)
            _record_answers(trail, bodies.part(part), ordinals[part], late[part])
            if each is not None:
                trail.malformed("decision", each.error, each.value, each.received_ns)
                done = each.before
        trail.flush()

    def _count_malformed(self, unreadable: list[Unreadable]) -> None:
        self.malformed += len(unreadable)
        if self.first_malformed is None:
            first = unreadable[0]
            self.first_malformed = first.error
            logger.warning("malformed decision: %s; its first bytes: %r", first.error, first.value[:200])

    def write(self) -> None:
        """Write the gathered rows as a row group."""
        if self._rows_held:
            said = Said.joined([rows.said for rows in self._rows]).table()
            received_ns = np.concatenate([rows.received_ns for rows in self._rows])
            ordinals = np.concatenate([rows.ordinals for rows in self._rows])
            late = self.accounts.state[ordinals] == LATE
            self._writer.write_table(timed_rows(said, received_ns, ordinals, late, self._times))
        self._rows.clear()
        self._rows_held = 0

    def show(self, now_ns: int) -> None:
        """Update the live figures; the percentiles once a second, over that second's decisions. What was recorded is
        made to last as often."""
        if self._records is not None:
            self._records.trail.sync(now_ns)
        live = self._live
        live.set(answered=sum(self.by_path.values()), duplicated=self.accounts.duplicated, **self.by_path)
        live.set(unknown=self.accounts.unknown, malformed=self.malformed)
        if now_ns >= self._window_ends_ns:
            if self._recent:
                p50, p99 = np.percentile(np.concatenate(self._recent), [50, 99])
                live.set(p50_ns=int(p50), p99_ns=int(p99))
            self._recent = []
            self._window_ends_ns = now_ns + WINDOW_NS

    def finish(self, sent: int, events: Path) -> dict[str, Any]:
        """Write the rest and the lost ones (the first `sent` events were sent), close the records; returns the counts,
        and `audit`, what is to be said of the trail."""
        self.write()
        unanswered = self.accounts.unanswered()
        lost = unanswered[unanswered < sent]
        if len(lost):
            ids = pq.read_table(events, columns=["event_id"])["event_id"].take(lost)
            self._writer.write_table(lost_rows(lost, ids, self.accounts.timeout_ns, self._times))
            if self._records is not None:
                sent_ns = self._times.sent_ns[lost].tolist()
                self._records.trail.lost(zip(ids.to_pylist(), lost.tolist(), sent_ns, strict=True))
        counts, beside = self._counts(len(lost)), {"received_bytes": self.received_bytes}
        if self._records is None:
            return counts | beside
        if self._records.logs is not None:
            counts["late_scores"] = record_late_scores(self._records.trail, self._records.logs, self._ordinal_of)
        counts["explanations"] = self._records.explanations.finish()
        return {**counts, **beside, "audit": self._records.trail.close(counts)}

    def _ordinal_of(self, event_id: str) -> int:
        return int(self.accounts.ordinals_of([event_id])[0])

    def _counts(self, lost: int) -> dict[str, Any]:
        return {
            "decided": self.accounts.answered,
            "late": self.accounts.late,
            "lost": lost,
            "duplicated": self.accounts.duplicated,
            "reordered": self.accounts.disorder.reordered,
            "unknown": self.accounts.unknown,
            "malformed": self.malformed,
            "first_malformed": self.first_malformed,
            "by_path": self.by_path,
        }


def _await_start(path: Path, reader: SpoolReader) -> int | None:
    while not path.exists():
        if reader.ended():
            return None
        time.sleep(IDLE_S)
    return int(path.read_text(encoding="utf-8"))


def _follow(
    reader: SpoolReader,
    parse: Callable[[bytes], tuple[Found, int, int | None]],
    take: Callable[[Found], None],
    show: Callable[[int], None] = lambda now_ns: None,
) -> None:
    while True:
        ended = reader.ended()
        stamped = reader.parsed(parse)
        if stamped is not None:
            take(stamped)
        show(time.monotonic_ns())
        if ended and stamped is None:
            reader.close()
            return
        if not ended and (stamped is None or len(stamped) < MANY):
            time.sleep(GATHER_S)


def _follow_readers(readers: list[SpoolReader], settle: Callable[[Reading], None], show: Callable[[int], None]) -> None:
    """Settle what several readers hand over, in the order of receipt, until all have ended."""
    order = ReceiptOrder(len(readers))
    while not order.closed:
        come = False
        for place in order.wanted():
            ended = readers[place].ended()
            handed = readers[place].read()
            for until_ns, content in handed:
                order.add(place, content, until_ns)
            if ended and not handed:
                order.close(place)
            come = come or bool(handed) or ended
        reading = order.take()
        if reading is not None:
            settle(reading)
        show(time.monotonic_ns())
        if not come:
            time.sleep(IDLE_S)
    for reader in readers:
        reader.close()


def run_collector(plan: CollectorPlan) -> None:
    """Follow the spools to their end, take the explanations, then account for what never came."""
    readers = [SpoolReader(Path(spool)) for spool in plan.readings or [plan.spool or ""]]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    start_ns = _await_start(Path(plan.start_file), readers[0])
    if start_ns is None:
        return
    accounts = Accounts.open(Path(plan.feed), start_ns, plan.timeout_ns)
    times = EventTimes(accounts.intended_ns, np.load(plan.sent, mmap_mode="r"), plan.measured_from)
    with ExitStack() as stack:
        writer = stack.enter_context(open_rows(Path(plan.out)))
        records = None
        if plan.records is not None:
            opened = open_records(plan.records, accounts, Path(plan.feed), plan.measured_from)
            records = stack.enter_context(opened)
        collector = Collector(accounts, times, writer, Live.open(Path(plan.progress)), records)
        if plan.readings:
            _follow_readers(readers, collector.settle, collector.show)
        else:
            _follow(readers[0], arrived_in, collector.take, collector.show)
        if records is not None and plan.explanations_spool is not None:
            _follow(SpoolReader(Path(plan.explanations_spool)), stamped_in, records.explanations.take)
        sent = int(np.count_nonzero(times.sent_ns))
        summary = collector.finish(sent, Path(plan.events))
    partial = Path(plan.summary).with_suffix(".part")
    partial.write_text(json.dumps(summary), encoding="utf-8")
    partial.replace(plan.summary)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    rehearse()
    # what is there now stays: it is not looked through again and again
    gc.freeze()
    # its work can wait, the scorer's and the load's cannot
    claim_priority(LAST)
    run_collector(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=CollectorPlan))
