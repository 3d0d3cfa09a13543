"""Holds a trail against what results.json says of the gates that new models had to pass."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.audit_trail.chain import Content, Line
from harness.audit_trail.findings import Finding, Findings

KIND = "answers"
_SAID = ("gate", "passed", "event_time_ns", "why", "evidence")


@dataclass(slots=True)
class KeptGates:
    """The records of gates; they are few."""

    records: list[tuple[int, Content]] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Take a line."""
        if line.content is not None and line.content.kind == "gate":
            self.records.append((line.number, line.content))


def compare_gates(kept: KeptGates, run: Path, findings: Findings) -> None:
    """Add every gate of which trail and results.json say otherwise, or that one of them lacks."""
    said = _said(run)
    recorded = [
        (record.attempt, record.candidate, {name: getattr(record, name) for name in _SAID})
        for _, record in kept.records
    ]
    for place, (number, record) in enumerate(kept.records):
        if place >= len(said) or recorded[place] != said[place]:
            text = f"line {number}: results.json says otherwise of the gate {record.gate} of attempt {record.attempt}"
            findings.add(Finding(KIND, text, number, record.seq))
    for attempt, _, gate in said[len(recorded) :]:
        findings.add(Finding(KIND, f"the gate {gate['gate']} of attempt {attempt} has no record"))


def _said(run: Path) -> list[tuple[int | None, str | None, dict[str, Any]]]:
    """Attempt, candidate and gate, in order; none where results.json cannot be read, which is said elsewhere."""
    try:
        answers = json.loads((run / "results.json").read_bytes())["drift"].get("answers") or []
        return [
            (answer["attempt"], answer["candidate"], {name: gate[name] for name in _SAID})
            for answer in answers
            for gate in answer["gates"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
