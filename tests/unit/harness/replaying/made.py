"""Decisions and run folders as two runs of one stream leave them, made up."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.decision_rows import DECISION_ROWS_SCHEMA

EVENTS = 6
BAD = 2
"""The ordinal of the one fraud."""


def event_id(ordinal: int) -> str:
    return f"evt-{ordinal:03d}"


def reason(code: str, contribution: float | None = None) -> dict[str, Any]:
    kind = "rule" if contribution is None else "feature"
    return {"code": code, "text": f"{code} fired", "kind": kind, "contribution": contribution, "cause": None}


def customer(name: str, score: float) -> dict[str, Any]:
    nothing = {"rule_score": 0.0, "margin": None, "typology": None}
    return {"customer_id": name, "account_id": f"a-{name}", "score": score, **nothing}


def row(ordinal: int, **changes: Any) -> dict[str, Any]:
    """An approved event of the model; `changes` over it."""
    blank: dict[str, Any] = dict.fromkeys(DECISION_ROWS_SCHEMA.names)
    return blank | {
        "event_id": event_id(ordinal),
        "ordinal": ordinal,
        "measured": True,
        "status": "decided",
        "outcome": "approve",
        "score": ordinal / 10,
        "path": "model",
        "margin": 0.5,
        "reasons": [],
        "customers": [],
        "intended_ns": 1_000 + 100 * ordinal,
        "sent_ns": 1_000,
        "response_ns": 50,
        **changes,
    }


def lost(ordinal: int) -> dict[str, Any]:
    return row(ordinal, status="lost", outcome=None, score=None, path=None, margin=None, reasons=None, customers=None)


def write_decisions(file: Path, rows: Sequence[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=DECISION_ROWS_SCHEMA), file)
    return file


def write_run(folder: Path, rows: Sequence[dict[str, Any]], **changes: Any) -> Path:
    """A run folder of `EVENTS` events, as far as a replay is told of."""
    folder.mkdir(parents=True)
    write_decisions(folder / "decisions.parquet", rows)
    ids = [event_id(n) for n in range(EVENTS)]
    times = [10 * n for n in range(EVENTS)]
    pq.write_table(pa.table({"event_id": ids, "event_time_ns": times}), folder / "events.parquet")
    fraud = [n == BAD for n in range(EVENTS)]
    pq.write_table(pa.table({"event_id": ids, "is_fraud": fraud}), folder / "labels.parquet")
    results = {
        "started_at": "2026-01-01T00:00:00Z",
        "verdict": {"status": "pass"},
        "engine": "native",
        "workers": 1,
        "broker": {"name": "embedded"},
        "counts": {"lost": 0, "by_path": {"rules": 0, "model": EVENTS, "fallback": 0}},
        "model": {"version": "fraud-1"},
        "quality": {"recall": 0.5},
        "config": {"domain": "fraud"},
        **changes,
    }
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (folder / "environment.json").write_text(json.dumps({"revision": "abc"}), encoding="utf-8")
    return folder
