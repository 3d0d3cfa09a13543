"""A scorer that answers badly is reported exactly, and breaks nothing: neither the collector nor the audit trail."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from harness.accounts import Accounts
from harness.audit_trail.chain import read_lines
from harness.audit_trail.findings import Findings
from harness.audit_trail.records import AUDIT_FILE, Opening
from harness.audit_trail.verify import walk
from harness.collector import Collector, RecordsPlan, open_records
from harness.decision_rows import DECISION_ROWS_SCHEMA, EventTimes
from harness.explanations import EXPLANATIONS_FILE
from harness.feed import write_feed
from harness.latency import HIGHEST_NS, LatencyLog, measure_latency
from harness.progress import Live
from harness.results import AuditResults, Results
from harness.selftest.bench import no_dispositions, plain_events
from harness.spool import SpoolReader, SpoolWriter
from harness.summary import print_summary

EVENTS, STEP_NS, TIMEOUT_NS = 10, 1_000, 50_000
IN_TIME_NS = 20_000
OPENING = Opening(run="r", started_at="2026-01-01T00:00:00Z", software_version="1", scenario="ab")
EPOCH_NS = 1_795_000_000_000_000_000
"""A reading of the wall clock, which somebody takes for the monotonic one."""


def name(number: int) -> str:
    return f"selftest-{number:09d}"


def answer(number: int, **more: Any) -> bytes:
    """A right answer, but for what the test says."""
    return msgspec.json.encode({"event_id": name(number), "outcome": "approve", "score": 0.5, **more})


@dataclass
class Found:
    counts: dict[str, Any]
    log: LatencyLog
    statuses: dict[int, str]


def account(folder: Path, answers: list[tuple[int, bytes]]) -> Found:
    """From the spool (received_ns, message) to counts, rows, histograms and a whole audit trail."""
    schedule = np.arange(EVENTS, dtype=np.int64) * STEP_NS
    write_feed(folder / "feed", plain_events(EVENTS, 3), no_dispositions(), schedule)
    events, out = folder / "events.parquet", folder / "decisions.parquet"
    pq.write_table(plain_events(EVENTS, 3), events)
    writer = SpoolWriter(folder / "spool", segment_bytes=100_000)
    for received_ns, value in answers:
        writer.append(received_ns, [value])
    writer.close()
    accounts = Accounts.open(folder / "feed", 0, TIMEOUT_NS)
    times = EventTimes(accounts.intended_ns, accounts.intended_ns + 1, 0)
    plan = RecordsPlan(
        audit=str(folder / AUDIT_FILE),
        opening=OPENING,
        thresholds=None,
        explanations=str(folder / EXPLANATIONS_FILE),
        asked="none",
    )
    reader = SpoolReader(folder / "spool")
    with (
        pq.ParquetWriter(out, DECISION_ROWS_SCHEMA) as parquet,
        open_records(plan, accounts, folder / "feed", 0) as records,
    ):
        collector = Collector(accounts, times, parquet, Live.create(folder / "live"), records)
        while stamped := reader.read():
            collector.take(stamped)
        counts = collector.finish(EVENTS, events)
    reader.close()
    findings = Findings(10)
    with (folder / AUDIT_FILE).open("rb") as trail:
        walk(read_lines(trail), AuditResults(**counts["audit"]), findings)
    assert findings.found == []
    rows = pq.read_table(out, columns=["ordinal", "status"]).to_pylist()
    return Found(counts, measure_latency(out, 0, folder / "latency.hlog"), {r["ordinal"]: r["status"] for r in rows})


NO_DECISIONS = {
    "nothing": b"",  # also what a tombstone is
    "null": b"null",
    "a list": b"[]",
    "a number": b"3",
    "text": b'"approve"',
    "no JSON": b"{event_id: 1}",
    "cut short": answer(0)[:-1],
    "two": answer(0) + answer(1),
    "not UTF-8": answer(0).replace(b"selftest", b"self\xff\xfe"),
    "UTF-16": answer(0).decode().encode("utf-16"),
    "half a surrogate pair": answer(0).replace(b"selftest", b"\\ud800"),
    "a score of 2": answer(0, score=2.0),
    "a score below 0": answer(0, score=-0.01),
    "a score that is no number": answer(0).replace(b"0.5", b"NaN"),
    "a score as text": answer(0, score="0.5"),
    "a score that is endless": answer(0).replace(b"0.5", b"1e999"),
    "no score": msgspec.json.encode({"event_id": name(0), "outcome": "approve"}),
    "no id": msgspec.json.encode({"outcome": "approve", "score": 0.5}),
    "an empty id": answer(0, event_id=""),
    "an id as a number": answer(0, event_id=0),
    "another outcome": answer(0, outcome="maybe"),
    "another path": answer(0, path="shortcut"),
    "a negative stamp": answer(0, taken_ns=-1),
    "a stamp with a fraction": answer(0, taken_ns=1.5),
    "a stamp beyond 64 bits": answer(0, taken_ns=2**63),
    "a stage beyond 64 bits": answer(0, stages_ns={"rules": 2**64 - 1}),
    "an endless margin": answer(0)[:-1] + b',"margin":1e999}',
    "features that are no base64": answer(0, features="@@@"),
    "nested without end": answer(0)[:-1] + b',"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "3 MB of nothing": b"x" * 3_000_000,
}


@pytest.mark.parametrize("message", NO_DECISIONS.values(), ids=NO_DECISIONS.keys())
def test_what_is_no_decision_is_counted_and_answers_nothing(tmp_path: Path, message: bytes) -> None:
    found = account(tmp_path, [(IN_TIME_NS, answer(1)), (IN_TIME_NS, message), (IN_TIME_NS, answer(2))])
    assert found.counts["malformed"] == 1
    assert found.counts["first_malformed"]
    assert (found.counts["decided"], found.counts["lost"]) == (2, EVENTS - 2)
    assert (found.counts["unknown"], found.counts["duplicated"]) == (0, 0)
    assert found.statuses[0] == "lost"


def test_every_kind_of_bad_answer_at_once_is_counted_exactly(tmp_path: Path) -> None:
    messages = list(NO_DECISIONS.values())
    answers = [(IN_TIME_NS, message) for message in messages]
    answers += [(IN_TIME_NS, answer(n)) for n in (0, 1, 1, 2, 2, 2)]  # twice, three times
    answers += [(3 * STEP_NS + TIMEOUT_NS, answer(3)), (4 * STEP_NS + TIMEOUT_NS + 1, answer(4))]  # just in time, late
    answers += [(9 * TIMEOUT_NS, answer(4))]  # twice, and both late
    answers += [(IN_TIME_NS, answer(n)) for n in (77, -1, 77)]  # nobody sent these
    found = account(tmp_path, answers)
    expected = {
        "decided": 5,
        "late": 1,
        "lost": 5,
        "duplicated": 4,
        "unknown": 3,
        "malformed": len(messages),
    }
    assert {kind: found.counts[kind] for kind in expected} == expected
    assert [found.statuses[n] for n in range(EVENTS)] == ["decided"] * 4 + ["late"] + ["lost"] * 5
    response = found.log.series["response"].total
    assert response.total_count == EVENTS  # who was never answered is in it too, at the ceiling
    assert found.log.percentiles("response").max == (TIMEOUT_NS + 1) / 1e6


def test_an_answer_under_another_events_id_leaves_its_own_lost(tmp_path: Path) -> None:
    """Event 5 is answered under the id of 6: 6 then has two answers, and 5 has none."""
    found = account(tmp_path, [(IN_TIME_NS, answer(n)) for n in (0, 1, 2, 3, 4, 6, 6, 7, 8, 9)])
    assert (found.counts["decided"], found.counts["duplicated"], found.counts["lost"]) == (9, 1, 1)
    assert found.statuses[5] == "lost"


def test_a_decision_of_three_megabytes_is_a_decision(tmp_path: Path) -> None:
    reason = {"code": "R", "text": "x" * 3_000_000, "kind": "rule"}
    found = account(tmp_path, [(IN_TIME_NS, answer(0, reasons=[reason])), (IN_TIME_NS, answer(1))])
    assert (found.counts["decided"], found.counts["malformed"]) == (2, 0)


def test_stamps_that_cannot_be_are_counted_once_and_in_no_percentile(tmp_path: Path) -> None:
    stamps: list[dict[str, Any]] = [
        {"taken_ns": 9, "emitted_ns": 5},  # handed over before it was taken
        {"taken_ns": 5, "emitted_ns": EPOCH_NS},  # two clocks
        {"taken_ns": EPOCH_NS, "emitted_ns": EPOCH_NS + 7},  # the future, but one clock: a service time like any other
        {"taken_ns": 5},
        {"taken_ns": 0, "emitted_ns": HIGHEST_NS, "stages_ns": {"model": 2**63 - 1}},
    ]
    answers = [(IN_TIME_NS, answer(n, **more)) for n, more in enumerate(stamps)]
    answers.append((5 * STEP_NS - 1, answer(5)))  # received before it was due
    found = account(tmp_path, answers)
    assert (found.log.negative, found.log.overflow) == (2, 2)
    service = found.log.percentiles("service")
    assert (service.count, service.p50, service.max) == (2, 7 / 1e6, HIGHEST_NS / 1e6)
    assert found.log.percentiles("response").count == EVENTS - 1
    assert "stage.model" not in found.log.series or found.log.percentiles("stage.model").count == 0


def test_the_summary_shows_what_was_bad(results: Results) -> None:
    counts = msgspec.structs.replace(results.counts, unknown=3, malformed=4, late=5, duplicated=6, lost=7)
    latency = msgspec.structs.replace(results.latency_ms, negative=8, overflow=9)
    text = StringIO()
    shown = msgspec.structs.replace(results, counts=counts, latency_ms=latency)
    print_summary(shown, Path("run"), None, Console(file=text, width=200))
    for words in (
        "3 for events nobody sent, 4 that could not be read",
        "7 lost, 5 late, 6 duplicated",
        "8 negative, 9 of more than a day: counted, in no percentile",
    ):
        assert words in text.getvalue()
