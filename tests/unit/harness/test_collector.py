"""What the collector keeps of its messages, beside the same said row by row; and no message can stop it."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.accounts import Accounts
from harness.audit_trail.records import AUDIT_FILE, Opening, Thresholds, content_hash
from harness.collector import Collector, RecordsPlan, open_records
from harness.decision_rows import STAGES, EventTimes, open_rows
from harness.feed import write_feed
from harness.pages import Pages
from harness.progress import Live
from streams.causes import Cause
from streams.codec import encode_decision
from streams.decision import OUTCOMES, PATHS, CustomerScore, Decision, Reason
from tests.audited_run import build_audited_run, events_table

EVENTS, START_NS, TIMEOUT_NS, MEASURED_FROM, SENT_AFTER_NS = 12, 5_000_000_000, 1_000_000, 2, 5
HEAD = "d944fa880ba321d642737a0604e3f16eab46fac8b8f3f86f20347ad5bebd1f44"
"""Of the trail of tests/audited_run.py. Every byte of it counts: another head is another format of audit.jsonl."""
THRESHOLDS = Thresholds(review=0.3, block=0.9)
LARGEST = 2**63 - 1
GARBLED = (b'{"event_id": 7}', b"{broken", b'{"event_id":"a\xff"}', b'{"x":' + b"[" * 100_000)

instants = st.none() | st.integers(0, LARGEST)
words = st.none() | st.sampled_from(("v1", "v2", "ü"))
reasons = st.builds(
    Reason,
    code=st.sampled_from(("R1", "amount")),
    text=st.text(max_size=5),
    kind=st.sampled_from(("rule", "feature")),
    contribution=st.none() | st.floats(-9, 9),
    cause=st.none() | st.sampled_from(get_args(Cause)),
)
customers = st.builds(
    CustomerScore,
    customer_id=st.sampled_from(("c1", "c2")),
    account_id=st.just("a"),
    score=st.floats(0, 1),
    rule_score=st.floats(0, 1),
    margin=st.none() | st.floats(-9, 9),
    typology=words,
)
decisions = st.builds(
    Decision,
    event_id=st.integers(0, EVENTS + 2).map(lambda n: f"evt-{n:04d}"),
    outcome=st.sampled_from(OUTCOMES),
    score=st.floats(0, 1),
    path=st.sampled_from(PATHS),
    reasons=st.lists(reasons, max_size=2),
    margin=st.none() | st.floats(-20, 20),
    rules_version=words,
    model_version=words,
    worker=words,
    taken_ns=instants,
    emitted_ns=instants,
    stages_ns=st.dictionaries(st.sampled_from((*STAGES, "other")), st.integers(0, LARGEST), max_size=3),
    features=st.none() | st.binary(max_size=8),
    customers=st.lists(customers, max_size=2),
)
messages = st.lists(st.tuples(st.integers(0, 2 * TIMEOUT_NS), decisions | st.sampled_from(GARBLED)), max_size=30)
Message = tuple[int, Decision | bytes]


@contextmanager
def collecting(folder: Path) -> Iterator[Collector]:
    """A collector in a new folder: feed, d.parquet, audit.jsonl."""
    events = events_table()
    pq.write_table(events, folder / "events.parquet")
    none = pa.table({"reported_at_ns": pa.array([], pa.int64())})
    write_feed(folder / "feed", events, none, np.arange(EVENTS, dtype=np.int64) * 1_000)
    accounts = Accounts.open(folder / "feed", START_NS, TIMEOUT_NS)
    times = EventTimes(accounts.intended_ns, accounts.intended_ns + SENT_AFTER_NS, MEASURED_FROM)
    plan = RecordsPlan(
        audit=str(folder / AUDIT_FILE),
        opening=Opening(run="r", started_at="2026-01-01T00:00:00Z", software_version="1", scenario="ab"),
        thresholds=THRESHOLDS,
        explanations=str(folder / "explanations.parquet"),
        asked="flagged",
    )
    with open_rows(folder / "d.parquet") as writer, open_records(plan, accounts, folder / "feed", 0) as records:
        yield Collector(accounts, times, writer, Live.create(folder / "live"), records)


def collect(folder: Path, batches: Sequence[list[tuple[int, bytes]]]) -> dict[str, Any]:
    """Collect messages in a new folder. Returns the counts."""
    with collecting(folder) as collector:
        for batch in batches:
            collector.take(batch)
        return collector.finish(EVENTS, folder / "events.parquet")


SHADOW = ("model_version", "outcome", "score", "margin")


def expected_row(decision: Decision, ordinal: int, received_ns: int) -> dict[str, Any]:
    """A row of decisions.parquet."""
    intended_ns = START_NS + 1_000 * ordinal
    given = ("event_id", "outcome", "score", "path", "margin", "rules_version", "model_version", "worker", "features")
    both = decision.taken_ns is not None and decision.emitted_ns is not None
    return {
        **{name: getattr(decision, name) for name in (*given, "taken_ns", "emitted_ns")},
        "reasons": [{name: getattr(r, name) for name in Reason.__struct_fields__} for r in decision.reasons],
        "customers": [msgspec.structs.asdict(c) for c in decision.customers] or None,
        **{f"shadow_{name}": getattr(decision.shadow, name, None) for name in SHADOW},
        "service_ns": (decision.emitted_ns or 0) - (decision.taken_ns or 0) if both else None,
        **{f"stage_{stage}_ns": decision.stages_ns.get(stage) for stage in STAGES},
        "ordinal": ordinal,
        "measured": ordinal >= MEASURED_FROM,
        "status": "late" if received_ns - intended_ns > TIMEOUT_NS else "decided",
        "intended_ns": intended_ns,
        "sent_ns": intended_ns + SENT_AFTER_NS,
        "received_ns": received_ns,
        "response_ns": received_ns - intended_ns,
    }


def expected_record(decision: Decision, kind: str, received_ns: int, sent: bytes | None) -> dict[str, Any]:
    """A record of the audit trail, but for `late`, its number and its hashes."""
    given = ("event_id", "outcome", "score", "path", "margin", "rules_version", "model_version", "worker")
    said = json.loads(encode_decision(decision))
    return {
        "kind": kind,
        **{name: getattr(decision, name) for name in given},
        "input": None if sent is None else content_hash(sent),
        "features": None if decision.features is None else content_hash(decision.features),
        "thresholds": {"review": 0.3, "block": 0.9},
        "reasons": said.get("reasons", []),
        **({"customers": said["customers"]} if "customers" in said else {}),
        "received_ns": received_ns,
    }


def expected(folder: Path, received: Sequence[Message]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and records, one message at a time."""
    sent = Pages(folder / "feed" / "messages")
    rows: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    seen: set[int] = set()
    for after_ns, message in received:
        if isinstance(message, bytes):
            records.append({"kind": "malformed", "content": content_hash(message), "received_ns": START_NS + after_ns})
            continue
        ordinal, received_ns = int(message.event_id.removeprefix("evt-")), START_NS + after_ns
        if ordinal >= EVENTS:
            records.append(expected_record(message, "unknown", received_ns, None))
        elif ordinal in seen:
            records.append(expected_record(message, "duplicate", received_ns, None))
        else:
            seen.add(ordinal)
            rows.append(expected_row(message, ordinal, received_ns))
            late = rows[-1]["status"] == "late"
            records.append({**expected_record(message, "decision", received_ns, sent[ordinal]), "late": late})
    return rows, records


def without_chain(line: bytes) -> dict[str, Any]:
    """A record as `expected_record` gives it."""
    record = json.loads(line)
    kept = ("kind", "content", "received_ns") if record["kind"] == "malformed" else record.keys()
    return {name: record[name] for name in kept if name not in ("seq", "prev", "hash")}


@settings(max_examples=60, deadline=None)
@given(messages, st.integers(1, 9))
def test_rows_and_records_are_what_each_message_says(received: list[Message], batch: int) -> None:
    raw = [(START_NS + at, m if isinstance(m, bytes) else encode_decision(m)) for at, m in received]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = collect(folder, [raw[start : start + batch] for start in range(0, len(raw), batch)])
        rows, records = expected(folder, received)
        found = pq.read_table(folder / "d.parquet").to_pylist()
        lines = (folder / AUDIT_FILE).read_bytes().splitlines()
        whole, one_batch = (folder / AUDIT_FILE).read_bytes(), folder / "again"
        one_batch.mkdir()
        collect(one_batch, [raw])
        assert (one_batch / AUDIT_FILE).read_bytes() == whole, "the trail depends on how messages were cut into batches"
    assert [row for row in found if row["status"] != "lost"] == rows
    assert counts["lost"] == len(found) - len(rows) == EVENTS - len(rows)
    assert [without_chain(line) for line in lines[1 : 1 + len(received)]] == records
    assert len(lines) == 1 + len(received) + counts["lost"] + 1


def test_the_bytes_of_a_trail_stay_what_they_were(tmp_path: Path) -> None:
    assert build_audited_run(tmp_path / "run", tmp_path / "work")["audit"]["head"] == HEAD


@pytest.mark.parametrize("field", ["taken_ns", "emitted_ns", "stages_ns"])
def test_an_instant_no_clock_can_read_is_malformed(tmp_path: Path, field: str) -> None:
    """It would fit in no column."""
    for number, (value, malformed) in enumerate(((LARGEST, 0), (LARGEST + 1, 1), (10**30, 1))):
        folder = tmp_path / str(number)
        folder.mkdir()
        given = {"rules": value} if field == "stages_ns" else value
        message = {"event_id": "evt-0000", "outcome": "approve", "score": 0, field: given}
        counts = collect(folder, [[(START_NS, json.dumps(message).encode())]])
        assert (counts["malformed"], counts["decided"]) == (malformed, 1 - malformed)
