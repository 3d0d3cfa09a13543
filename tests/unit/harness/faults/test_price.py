"""The price of a fault in quality: made decisions beside those that would have been made."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.faults.counterfactual import Would
from harness.faults.price import Truth, price
from streams.labels import LABEL_SCHEMA
from streams.stored_rows import StoredRows
from streams.transaction import TRANSACTION_SCHEMA
from tests.example_run import build_run

IDS = [f"e{n}" for n in range(6)]
FRAUD = [True, False, True, False, False, True]


def truth(ordinals: np.ndarray[Any, np.dtype[np.int64]]) -> Truth:
    events: dict[str, Any] = {name: [None] * 6 for name in TRANSACTION_SCHEMA.names}
    events |= {"event_id": IDS, "event_time_ns": list(range(6)), "card_id": [f"c{n}" for n in range(6)]}
    events |= {"amount_minor": [100] * 6, "currency": ["EUR"] * 6}
    known: dict[str, Any] = {"event_id": IDS, "is_fraud": FRAUD}
    labels = {name: known.get(name, [None] * 6) for name in LABEL_SCHEMA.names}
    rows = (StoredRows(pa.table(events, schema=TRANSACTION_SCHEMA)), StoredRows(pa.table(labels, schema=LABEL_SCHEMA)))
    return Truth.of(*rows, ordinals, k=2)


def test_what_was_missed_and_what_was_alerted_for_nothing() -> None:
    outcomes = ["approve", "review", "approve", "approve", "approve"]  # the last event was lost
    decisions = pa.table(
        {
            "event_id": IDS[:5],
            "ordinal": list(range(5)),
            "status": ["decided"] * 5,
            "outcome": outcomes,
            "score": [0.1, 0.6, 0.1, 0.1, 0.1],
            "path": ["fallback"] * 5,
            "response_ns": [1] * 5,
        }
    )
    would = {
        "e0": Would("block", 0.99),
        "e1": Would("approve", 0.01),
        "e2": Would("review", 0.7),
        "e3": Would("review", 0.5),
        "e4": Would("approve", 0.02),
    }
    found = price(decisions, np.arange(6), would, truth(np.array([5, 3, 4, 2, 1, 0, 2])))
    assert (found.events, found.frauds, found.k) == (6, 3, 2)
    assert (found.alerts_missed, found.frauds_missed, found.alerts_more) == (3, 2, 1)
    assert (found.recall, found.recall_model) == (0.0, 2 / 3)
    assert found.precision_at_k_model == 1.0
    assert found.precision_at_k is not None
    assert found.precision_at_k < 1.0


@pytest.mark.parametrize("group", [3, 50, 1_000])
def test_the_price_of_a_part_is_that_found_among_everything(tmp_path: Path, group: int) -> None:
    """Files as a run leaves them; two faults that overlap."""
    run = build_run(tmp_path / "run", lost=40)
    tables = {name: pq.read_table(run / f"{name}.parquet") for name in ("events", "labels", "decisions")}
    for name in ("events", "labels"):
        pq.write_table(tables[name].slice(0, 3_000), tmp_path / f"{name}.parquet", row_group_size=group)
    faults = [np.arange(700, 1_900), np.arange(1_500, 2_990)]
    ids = tables["decisions"]["event_id"].to_pylist()
    would = {
        event_id: Would("block" if n % 7 == 0 else "approve", (n % 97) / 97) for n, event_id in enumerate(ids) if n % 5
    }
    events, labels = (StoredRows(tmp_path / f"{name}.parquet") for name in ("events", "labels"))
    part = Truth.of(events, labels, np.concatenate(faults), k=10)
    whole = Truth(np.arange(3_000), tables["events"].slice(0, 3_000), tables["labels"].slice(0, 3_000), k=10)
    for ordinals in faults:
        found = price(tables["decisions"], ordinals, would, part)
        assert found == price(tables["decisions"], ordinals, would, whole)
        assert found.events == len(ordinals)
        assert found.alerts_more > 0
