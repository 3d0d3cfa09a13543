"""The gates that a new model passed, in the audit trail and in results.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.audit_trail.chain import read_lines
from harness.audit_trail.compare_gates import KeptGates, compare_gates
from harness.audit_trail.findings import Findings
from harness.audit_trail.records import Opening
from harness.audit_trail.writer import AuditTrail

GATES = [
    {"gate": name, "passed": name != "shadow", "event_time_ns": 7, "why": "so", "evidence": {"psi": 0.25, "rows": [1]}}
    for name in ("backtest", "shadow")
]


def written(run: Path, gates: list[dict[str, Any]], recorded: list[dict[str, Any]]) -> list[str]:
    """What is found in a run whose results.json has `gates`, and its trail `recorded`."""
    run.mkdir()
    trail = AuditTrail(
        run / "audit.jsonl",
        Opening(run="r", started_at="now", software_version="0", scenario="s"),
        None,
        lambda ordinal: b"",
    )
    for gate in recorded:
        trail.gate(1, "fraud-2", gate)
    trail.close({})
    answers = [{"attempt": 1, "candidate": "fraud-2", "gates": gates}]
    (run / "results.json").write_text(json.dumps({"drift": {"answers": answers}}), encoding="utf-8")
    kept, findings = KeptGates(), Findings(10)
    with (run / "audit.jsonl").open("rb") as file:
        for line in read_lines(file):
            kept.add(line)
    compare_gates(kept, run, findings)
    return [finding.text for finding in findings.found]


def test_the_same_gates_are_no_finding(tmp_path: Path) -> None:
    assert written(tmp_path / "run", GATES, GATES) == []


@pytest.mark.parametrize("change", [{"passed": True}, {"why": "not so"}, {"evidence": {"psi": 0.1}}])
def test_a_gate_told_otherwise_is_named(tmp_path: Path, change: dict[str, Any]) -> None:
    told = [GATES[0], GATES[1] | change]
    assert written(tmp_path / "run", told, GATES) == [
        "line 3: results.json says otherwise of the gate shadow of attempt 1"
    ]


def test_a_gate_without_a_record_and_a_record_without_a_gate_are_named(tmp_path: Path) -> None:
    assert written(tmp_path / "run", GATES, GATES[:1]) == ["the gate shadow of attempt 1 has no record"]
    assert len(written(tmp_path / "other", GATES[:1], GATES)) == 1
