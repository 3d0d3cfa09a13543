"""Quality and latency on each side of an onset, worked out by hand."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.drift.replays.card_quality import card_side
from harness.drift.replays.latency import latency_sides
from streams.labels import LABEL_SCHEMA
from streams.transaction import TRANSACTION_SCHEMA

IDS = [f"e{n}" for n in range(6)]
FRAUD = [True, False, True, True, False, False]


def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    """Events 0–2 lie before the onset, 3–5 after it; the fraud after it is not flagged."""
    events: dict[str, Any] = {name: [None] * 6 for name in TRANSACTION_SCHEMA.names}
    events |= {"event_id": IDS, "event_time_ns": list(range(6)), "card_id": [f"c{n}" for n in range(6)]}
    events |= {"amount_minor": [100] * 6, "currency": ["EUR"] * 6}
    known: dict[str, Any] = {"event_id": IDS, "is_fraud": FRAUD}
    labels = {name: known.get(name, [None] * 6) for name in LABEL_SCHEMA.names}
    decisions = pa.table(
        {
            "event_id": IDS,
            "status": ["decided"] * 6,
            "outcome": ["block", "approve", "review", "approve", "review", "approve"],
            "score": [0.99, 0.1, 0.8, 0.2, 0.7, 0.1],
            "path": ["rules", "model", "model", "model", "rules", "model"],
            "response_ns": [1] * 6,
        }
    )
    return decisions, pa.table(events, schema=TRANSACTION_SCHEMA), pa.table(labels, schema=LABEL_SCHEMA)


def test_each_side_is_measured_by_itself_and_by_who_decided() -> None:
    decisions, events, labels = tables()
    is_after = np.arange(6) >= 3
    before = card_side(decisions, events, labels, ~is_after, 2)
    after = card_side(decisions, events, labels, is_after, 2)
    assert (before["decided"].events, before["decided"].bad) == (3, 2)
    assert (before["decided"].precision_at_k, before["decided"].recall, before["decided"].pr_auc) == (1.0, 1.0, 1.0)
    assert (before["rules"].recall, before["model"].recall) == (0.5, 0.5)
    assert (after["decided"].bad, after["decided"].recall) == (1, 0.0)
    assert after["decided"].pr_auc == pytest.approx(0.5)
    assert after["decided"].precision_at_k == 0.5
    assert after["rules"].precision_at_k == 0.0
    assert (after["model"].pr_auc, after["model"].precision_at_k) == (1.0, 0.5)


def timed(before_ms: float, after_ms: float, slow: bool = False) -> pa.Table:
    random = np.random.default_rng(5)
    taken = np.concatenate([np.full(2_000, before_ms), np.full(2_000, after_ms)]) * random.uniform(0.8, 1.2, 4_000)
    if slow:
        taken[2_400:2_450] = 500.0
    service = (taken * 1e6).astype(np.int64)
    columns = {
        "ordinal": np.arange(4_000),
        "measured": [True] * 4_000,
        "service_ns": service,
        "response_ns": 2 * service,
    }
    return pa.table(columns)


def test_latency_is_affected_when_most_windows_after_are_slower_than_any_before() -> None:
    is_after = np.arange(4_000) >= 2_000
    steady = latency_sides(timed(2.0, 2.0, slow=True), is_after, in_process=True)
    assert steady.affected is False
    slower = latency_sides(timed(2.0, 4.0), is_after, in_process=True)
    assert slower.affected is True
    assert slower.before_p99_ms is not None
    assert slower.after_p99_ms == pytest.approx(2 * slower.before_p99_ms, rel=0.05)
    over_broker = latency_sides(timed(2.0, 4.0), is_after, in_process=False)
    assert over_broker.of == "response"
    assert over_broker.before_p99_ms == pytest.approx(2 * slower.before_p99_ms)


def test_too_few_events_on_a_side_say_nothing_of_latency() -> None:
    found = latency_sides(timed(2.0, 9.0), np.arange(4_000) >= 3_950, in_process=True)
    assert (found.affected, found.after_p99_ms) == (None, None)
