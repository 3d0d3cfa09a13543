"""The collector process: decodes what the receiver stamped, matches it, and writes decisions.parquet as it goes, with
the audit trail beside it.

Run as `python -m harness.collector PLAN`. Ends when the receiver has ended and everything is read; where explanations
are recorded, when they were read too.
"""

import json
import logging
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.accounts import DUPLICATE, LATE, UNKNOWN, Accounts
from harness.audit_trail.records import Opening, Thresholds
from harness.audit_trail.writer import AuditTrail
from harness.decision_rows import Answers, EventTimes, answered_rows, joined, lost_rows, open_rows
from harness.explanations import EXPLANATION_ROWS_SCHEMA, Asked, Explanations
from harness.late_scores import record_late_scores
from harness.pages import Pages
from harness.priority import LAST, claim_priority
from harness.progress import Live
from harness.spool import SpoolReader, Stamped
from streams.codec import UNDECODABLE, decode_decision
from streams.decision import PATHS, Decision

logger = logging.getLogger("riskbench.harness.collector")
ROWS_PER_GROUP = 8_192
IDLE_S = 0.02
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
    `explanations_spool` brings the explanations after the decisions, where `records` are kept."""

    feed: str
    spool: str
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
    logs: Path | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is no decision; `before` is how many decisions of its batch were received before it."""

    before: int
    error: str
    received_ns: int
    value: bytes


@contextmanager
def open_records(plan: RecordsPlan, accounts: Accounts, feed: Path, measured_from: int) -> Iterator[Records]:
    """Begin the audit trail and explanations.parquet."""
    trail = AuditTrail(Path(plan.audit), plan.opening, plan.thresholds, Pages(feed / "messages").__getitem__)
    with pq.ParquetWriter(plan.explanations, EXPLANATION_ROWS_SCHEMA, compression="zstd") as writer:
        explanations = Explanations(accounts, writer, asked=plan.asked, measured_from=measured_from, trail=trail)
        yield Records(trail, explanations, Path(plan.logs) if plan.logs else None)


class Collector:
    """Matches stamped messages, keeps the counts and the rows not yet written."""

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
        self._rows: list[Answers] = []
        self._rows_held = 0
        self._recent: list[npt.NDArray[np.int64]] = []
        self._window_ends_ns = 0
        self.malformed = 0
        self.first_malformed: str | None = None
        self.by_path = dict.fromkeys(PATHS, 0)

    def take(self, stamped: list[Stamped]) -> None:
        """Decode, match, count, record, and write a row group when enough rows have gathered."""
        decisions, received, unreadable = self._decode(stamped)
        ordinals = self.accounts.match([decision.event_id for decision in decisions], received)
        answers = Answers(decisions, received, ordinals)
        matched = answers.matched()
        for path, count in Counter(map(attrgetter("path"), matched.decisions)).items():
            self.by_path[path] += count
        self._rows.append(matched)
        self._rows_held += len(matched)
        self._recent.append(matched.received_ns - self.accounts.intended_ns[matched.ordinals])
        if self._records is not None:
            self._records.explanations.expect(matched)
            self._record(self._records.trail, answers, unreadable)
        if self._rows_held >= ROWS_PER_GROUP:
            self.write()

    def _record(self, trail: AuditTrail, answers: Answers, unreadable: list[Unreadable]) -> None:
        """One audit record a message, in the order of receipt."""
        begin = 0
        for each in unreadable:
            self._record_answers(trail, answers.between(begin, each.before))
            trail.malformed("decision", each.error, each.value, each.received_ns)
            begin = each.before
        self._record_answers(trail, answers.between(begin, len(answers)))
        trail.flush()

    def _record_answers(self, trail: AuditTrail, answers: Answers) -> None:
        late = (answers.ordinals >= 0) & (self.accounts.state[answers.ordinals] == LATE)
        rows = zip(
            answers.decisions, answers.received_ns.tolist(), answers.ordinals.tolist(), late.tolist(), strict=True
        )
        for decision, received_ns, ordinal, is_late in rows:
            trail.decision(KINDS.get(ordinal, "decision"), decision, received_ns, ordinal, late=is_late)

    def _decode(self, stamped: list[Stamped]) -> tuple[list[Decision], npt.NDArray[np.int64], list[Unreadable]]:
        """The decisions, when each was received, and what is none."""
        decisions: list[Decision] = []
        received: list[int] = []
        unreadable: list[Unreadable] = []
        for received_ns, value in stamped:
            try:
                decisions.append(decode_decision(value))
            except UNDECODABLE as error:
                unreadable.append(Unreadable(len(decisions), str(error), received_ns, value))
            else:
                received.append(received_ns)
        if unreadable:
            self._count_malformed(unreadable)
        return decisions, np.array(received, np.int64), unreadable

    def _count_malformed(self, unreadable: list[Unreadable]) -> None:
        self.malformed += len(unreadable)
        if self.first_malformed is None:
            first = unreadable[0]
            self.first_malformed = first.error
            logger.warning("malformed decision: %s; its first bytes: %r", first.error, first.value[:200])

    def write(self) -> None:
        """Write the gathered rows as a row group."""
        if self._rows_held:
            rows = joined(self._rows)
            late = self.accounts.state[rows.ordinals] == LATE
            self._writer.write_table(answered_rows(rows, late, self._times))
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
        counts = self._counts(len(lost))
        if self._records is None:
            return counts
        if self._records.logs is not None:
            counts["late_scores"] = record_late_scores(self._records.trail, self._records.logs, self._ordinal_of)
        counts["explanations"] = self._records.explanations.finish()
        return {**counts, "audit": self._records.trail.close(counts)}

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
    reader: SpoolReader, take: Callable[[list[Stamped]], None], show: Callable[[int], None] = lambda now_ns: None
) -> None:
    while True:
        ended = reader.ended()
        stamped = reader.read()
        if stamped:
            take(stamped)
        show(time.monotonic_ns())
        if not stamped:
            if ended:
                reader.close()
                return
            time.sleep(IDLE_S)


def run_collector(plan: CollectorPlan) -> None:
    """Follow the spool to its end, take the explanations, then account for what never came."""
    reader = SpoolReader(Path(plan.spool))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    start_ns = _await_start(Path(plan.start_file), reader)
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
        _follow(reader, collector.take, collector.show)
        if records is not None and plan.explanations_spool is not None:
            _follow(SpoolReader(Path(plan.explanations_spool)), records.explanations.take)
        sent = int(np.count_nonzero(times.sent_ns))
        summary = collector.finish(sent, Path(plan.events))
    partial = Path(plan.summary).with_suffix(".part")
    partial.write_text(json.dumps(summary), encoding="utf-8")
    partial.replace(plan.summary)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # its work can wait, the scorer's and the load's cannot
    claim_priority(LAST)
    run_collector(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=CollectorPlan))
