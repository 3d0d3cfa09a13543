"""A small run folder as collector and run leave it: every kind of answer there is, audit trail and explanations."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.accounts import Accounts
from harness.audit_trail.records import AUDIT_FILE, Opening, Thresholds, content_hash, file_hash
from harness.collector import Collector, RecordsPlan, open_records
from harness.decision_rows import DECISION_ROWS_SCHEMA, EventTimes
from harness.explanations import EXPLANATIONS_FILE, Asked
from harness.feed import write_feed
from harness.late_scores import LOGS, late_scores_file
from harness.progress import Live
from streams.codec import encode, encode_decision
from streams.decision import Decision, Explanation, Reason
from streams.labels import LABEL_SCHEMA
from streams.transaction import TRANSACTION_SCHEMA

EVENTS = 12
TIMEOUT_NS = 1_000_000
START_NS = 5_000_000_000
MEASURED_FROM = 2
LOST, LATE, RULED, OWN_REASONS = 11, 10, 3, 5
"""Ordinals: never answered, answered too late, decided by a rule, explained in its decision."""


def event_id(ordinal: int) -> str:
    return f"evt-{ordinal:04d}"


def events_table() -> pa.Table:
    """One event a second of event time."""
    columns: dict[str, list[Any]] = {name: [None] * EVENTS for name in TRANSACTION_SCHEMA.names}
    columns |= {
        "event_id": [event_id(n) for n in range(EVENTS)],
        "event_time_ns": [1_767_225_600_000_000_000 + n * 1_000_000_000 for n in range(EVENTS)],
        "card_id": [f"card-{n % 3}" for n in range(EVENTS)],
        "amount_minor": [1_000 + n for n in range(EVENTS)],
        "currency": ["EUR"] * EVENTS,
    }
    return pa.table(columns, schema=TRANSACTION_SCHEMA)


def _labels_table() -> pa.Table:
    rows = [
        {"event_id": event_id(n), "is_fraud": n == 1, "scenario": "card_testing" if n == 1 else None}
        for n in range(EVENTS)
    ]
    return pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)


def decision(ordinal: int, **changes: Any) -> Decision:
    """Odd events are reviewed."""
    ruled = ordinal == RULED
    share = Reason(code="amount", text="a large amount", kind="feature", contribution=1.5, cause="amount")
    fields: dict[str, Any] = {
        "event_id": event_id(ordinal),
        "outcome": "review" if ordinal % 2 else "approve",
        "score": ordinal / 100,
        "path": "rules" if ruled else "model",
        "margin": None if ruled else float(ordinal - 6),
        "reasons": [share] if ordinal == OWN_REASONS else [],
        "model_version": "fraud-1",
        "worker": "worker-1",
        "features": bytes([ordinal] * 8),
    }
    return Decision(**{**fields, **changes})


def explanation(ordinal: int) -> Explanation:
    """With instants: decided at 1,000 × ordinal, explained 2 ms later."""
    reason = Reason(code="velocity_1h", text="many at once", kind="feature", contribution=0.75, cause="velocity")
    decided_ns = 1_000 * ordinal
    return Explanation(
        event_id=event_id(ordinal),
        reasons=[reason],
        model_version="fraud-1",
        worker="worker-1",
        decided_ns=decided_ns,
        emitted_ns=decided_ns + 2_000_000,
        explain_ns=700,
    )


def _messages(accounts: Accounts) -> list[tuple[int, bytes]]:
    late_ns = int(accounts.intended_ns[LATE]) + 2 * TIMEOUT_NS
    answered = [(int(accounts.intended_ns[n]) + 50, encode_decision(decision(n))) for n in range(LATE)]
    odd = [
        (START_NS + 60, encode_decision(decision(4, score=0.99))),
        (START_NS + 61, encode_decision(decision(0, event_id="evt-phantom"))),
        (START_NS + 62, b'{"event_id": 7}'),
    ]
    return [*answered[:6], *odd, *answered[6:], (late_ns, encode_decision(decision(LATE)))]


def build_audited_run(
    run: Path,
    work: Path,
    *,
    explained: tuple[int, ...] = (1, 7, 9),
    asked: Asked = "flagged",
    late: Sequence[bytes] = (),
) -> dict[str, Any]:
    """Write the folder `run`; `explained` are the events whose explanations come, `late` the lines of a worker's file
    of late scores (none: no such file is looked for). Returns the collector's counts."""
    (run / LOGS).mkdir(parents=True)
    if late:
        late_scores_file(run / LOGS, "worker-1").write_bytes(b"".join(line + b"\n" for line in late))
    events = events_table()
    pq.write_table(events, run / "events.parquet")
    pq.write_table(_labels_table(), run / "labels.parquet")
    (run / "scenario.yaml").write_text("name: fraud\n", encoding="utf-8")
    schedule = np.arange(EVENTS, dtype=np.int64) * 1_000
    none = pa.table({"reported_at_ns": pa.array([], pa.int64())})
    write_feed(work / "feed", events, none, schedule)
    accounts = Accounts.open(work / "feed", START_NS, TIMEOUT_NS)
    plan = RecordsPlan(
        audit=str(run / AUDIT_FILE),
        opening=_write_case(run),
        thresholds=Thresholds(review=0.3, block=0.9),
        explanations=str(run / EXPLANATIONS_FILE),
        asked=asked,
        logs=str(run / LOGS) if late else None,
    )
    times = EventTimes(accounts.intended_ns, accounts.intended_ns + 5, MEASURED_FROM)
    with (
        pq.ParquetWriter(run / "decisions.parquet", DECISION_ROWS_SCHEMA) as writer,
        open_records(plan, accounts, work / "feed", MEASURED_FROM) as records,
    ):
        collector = Collector(accounts, times, writer, Live.create(work / "live"), records)
        messages = _messages(accounts)
        collector.take(messages[:5])
        collector.take(messages[5:])
        follow = [(0, encode(explanation(n))) for n in explained]
        records.explanations.take([*follow, *follow[:1], (0, b"nothing"), (0, encode(explanation(99)))])
        counts = collector.finish(EVENTS, run / "events.parquet")
    (run / "results.json").write_text(json.dumps({"audit": counts["audit"]}), encoding="utf-8")
    return counts


def _write_case(run: Path) -> Opening:
    bundle = run / "case" / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "model.onnx").write_bytes(b"graph")
    (bundle / "bundle.json").write_text(json.dumps({"files": {"model.onnx": content_hash(b"graph")}}))
    (run / "case" / "rules.yaml").write_text("rules: []\n")
    (run / "case" / "state").mkdir()
    (run / "case" / "state" / "features.state").write_bytes(b"state")
    return Opening(
        run=run.name,
        started_at="2026-01-01T00:00:00Z",
        software_version="1",
        scenario=file_hash(run / "scenario.yaml"),
        bundle=file_hash(bundle / "bundle.json"),
        rules=file_hash(run / "case" / "rules.yaml"),
        case={"state/features.state": content_hash(b"state")},
    )
