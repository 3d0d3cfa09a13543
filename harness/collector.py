"""The collector process: decodes what the receiver stamped, matches it, and writes decisions.parquet as it goes.

Run as `python -m harness.collector PLAN`. Ends when the receiver has ended and everything is read.
"""

import json
import logging
import signal
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.accounts import LATE, Accounts
from harness.decision_rows import DECISION_ROWS_SCHEMA, Answer, EventTimes, answered_rows, lost_rows
from harness.priority import LAST, claim_priority
from harness.progress import Live
from harness.spool import SpoolReader, Stamped
from streams.codec import decode_decision
from streams.decision import PATHS

logger = logging.getLogger("riskbench.harness.collector")
ROWS_PER_GROUP = 8_192
IDLE_S = 0.02
WINDOW_NS = 1_000_000_000


class CollectorPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to match against and where rows go. Times in ns; `measured_from` is the first ordinal after the warm-up."""

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


class Collector:
    """Matches stamped messages, keeps the counts and the rows not yet written."""

    def __init__(self, accounts: Accounts, times: EventTimes, writer: pq.ParquetWriter, live: Live) -> None:
        self.accounts, self._times, self._writer, self._live = accounts, times, writer, live
        self._rows: list[Answer] = []
        self._recent: list[npt.NDArray[np.int64]] = []
        self._window_ends_ns = 0
        self.malformed = 0
        self.first_malformed: str | None = None
        self.by_path = dict.fromkeys(PATHS, 0)

    def take(self, stamped: list[Stamped]) -> None:
        """Decode, match, count, and write a row group when enough rows have gathered."""
        decoded = [answer for answer in (self._decode(*item) for item in stamped) if answer]
        if not decoded:
            return
        received = np.fromiter((a.received_ns for a in decoded), np.int64, len(decoded))
        ordinals = self.accounts.match([a.decision.event_id for a in decoded], received)
        matched = ordinals >= 0
        for answer, ordinal in zip(decoded, ordinals.tolist(), strict=True):
            if ordinal >= 0:
                self.by_path[answer.decision.path] += 1
                self._rows.append(Answer(answer.decision, answer.received_ns, ordinal))
        self._recent.append(received[matched] - self.accounts.intended_ns[ordinals[matched]])
        if len(self._rows) >= ROWS_PER_GROUP:
            self.write()

    def _decode(self, received_ns: int, value: bytes) -> Answer | None:
        try:
            return Answer(decode_decision(value), received_ns, -1)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.malformed += 1
            if self.first_malformed is None:
                self.first_malformed = str(error)
                logger.warning("malformed decision: %s; its first bytes: %r", error, value[:200])
            return None

    def write(self) -> None:
        """Write the gathered rows as a row group."""
        if self._rows:
            late = self.accounts.state[[row.ordinal for row in self._rows]] == LATE
            self._writer.write_table(answered_rows(self._rows, late, self._times))
            self._rows.clear()

    def show(self, now_ns: int) -> None:
        """Update the live figures; the percentiles once a second, over that second's decisions."""
        live = self._live
        live.set(answered=sum(self.by_path.values()), duplicated=self.accounts.duplicated, **self.by_path)
        live.set(unknown=self.accounts.unknown, malformed=self.malformed)
        if now_ns >= self._window_ends_ns:
            if self._recent:
                p50, p99 = np.percentile(np.concatenate(self._recent), [50, 99])
                live.set(p50_ns=int(p50), p99_ns=int(p99))
            self._recent = []
            self._window_ends_ns = now_ns + WINDOW_NS

    def finish(self, sent: int, events: Path) -> dict[str, object]:
        """Write the rest and the lost ones (the first `sent` events were sent); returns the counts."""
        self.write()
        unanswered = self.accounts.unanswered()
        lost = unanswered[unanswered < sent]
        if len(lost):
            ids = pq.read_table(events, columns=["event_id"])["event_id"].take(lost)
            self._writer.write_table(lost_rows(lost, ids, self.accounts.timeout_ns, self._times))
        return {
            "decided": self.accounts.answered,
            "late": self.accounts.late,
            "lost": len(lost),
            "duplicated": self.accounts.duplicated,
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


def _follow(reader: SpoolReader, collector: Collector) -> None:
    while True:
        ended = reader.ended()
        stamped = reader.read()
        if stamped:
            collector.take(stamped)
        collector.show(time.monotonic_ns())
        if not stamped:
            if ended:
                return
            time.sleep(IDLE_S)


def run_collector(plan: CollectorPlan) -> None:
    """Follow the spool to its end, then account for what never came."""
    reader = SpoolReader(Path(plan.spool))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    start_ns = _await_start(Path(plan.start_file), reader)
    if start_ns is None:
        return
    accounts = Accounts.open(Path(plan.feed), start_ns, plan.timeout_ns)
    times = EventTimes(accounts.intended_ns, np.load(plan.sent, mmap_mode="r"), plan.measured_from)
    with pq.ParquetWriter(plan.out, DECISION_ROWS_SCHEMA, compression="zstd", compression_level=1) as writer:
        collector = Collector(accounts, times, writer, Live.open(Path(plan.progress)))
        _follow(reader, collector)
        sent = int(np.count_nonzero(times.sent_ns))
        summary = collector.finish(sent, Path(plan.events))
    reader.close()
    partial = Path(plan.summary).with_suffix(".part")
    partial.write_text(json.dumps(summary), encoding="utf-8")
    partial.replace(plan.summary)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # its work can wait, the scorer's and the load's cannot
    claim_priority(LAST)
    run_collector(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=CollectorPlan))
