"""An audit record beside the hashing and encoding that nobody who keeps such a trail is spared."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.by_turns import by_turns, note_rate
from harness.audit_trail.chain import read_lines
from harness.audit_trail.findings import Findings
from harness.audit_trail.records import Opening, Thresholds, content_hash
from harness.audit_trail.verify import walk
from harness.audit_trail.writer import AuditTrail
from streams.codec import encode_decision
from streams.decision import Decision, Reason

OPENING = Opening(run="r", started_at="2026-01-01T00:00:00Z", software_version="1", scenario="ab" * 32)
EVENT = b'{"event_id":"evt-0000001","event_time_ns":1767225600000000000,"card_id":"card-00017"}' * 3
RECORDS = 4_096
FEATURES = bytes(260)
RECORD_MAX = 2.4


def decisions() -> list[Decision]:
    """As a run gives them: approved by the model, one in fifty flagged with a reason."""
    reason = Reason(code="R07", text="two cards' worth of spending within an hour", kind="rule", cause="velocity")
    return [
        Decision(
            event_id=f"evt-{n:07d}",
            outcome="review" if n % 50 == 0 else "approve",
            score=0.0123 + n / 1e6,
            path="model",
            margin=-4.25 + n / 1e5,
            reasons=[reason] if n % 50 == 0 else [],
            rules_version="fraud-1a2b3c4d5e6f",
            model_version="fraud-3f9a1c0b7d21",
            worker="worker-1",
            features=FEATURES,
        )
        for n in range(RECORDS)
    ]


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(tmp_path / "audit.jsonl", OPENING, Thresholds(review=0.3, block=0.9), lambda ordinal: EVENT)


def record_all(trail: AuditTrail, chosen: list[Decision]) -> None:
    for ordinal, decision in enumerate(chosen):
        trail.decision("decision", decision, 123_456_789_012_345, ordinal)
    trail.flush()


def test_records(benchmark: Any, trail: AuditTrail) -> None:
    chosen = decisions()
    benchmark(record_all, trail, chosen)
    note_rate(benchmark, "records", RECORDS)


def test_a_record_costs_a_few_hashes(trail: AuditTrail) -> None:
    """The floor: encoding the decision, and hashing the event, its features and the record."""
    chosen = decisions()

    def spared_nobody(_: None) -> None:
        for decision in chosen:
            content_hash(EVENT)
            content_hash(FEATURES)
            content_hash(encode_decision(decision))

    by_turns(lambda _: record_all(trail, chosen), spared_nobody, rounds=8).hold("encoding and hashing", RECORD_MAX)


def test_walking(benchmark: Any, trail: AuditTrail, tmp_path: Path) -> None:
    record_all(trail, decisions())
    trail.close({})

    def walk_it() -> None:
        with (tmp_path / "audit.jsonl").open("rb") as file:
            findings = Findings(10)
            walk(read_lines(file), None, findings)
            assert findings.total == 0

    benchmark(walk_it)
    note_rate(benchmark, "records", RECORDS)
