"""The price of a fault in quality: made decisions beside those that would have been made."""

from typing import Any

import numpy as np
import pyarrow as pa

from harness.faults.counterfactual import Would
from harness.faults.price import Truth, price
from streams.labels import LABEL_SCHEMA
from streams.transaction import TRANSACTION_SCHEMA

IDS = [f"e{n}" for n in range(6)]
FRAUD = [True, False, True, False, False, True]


def truth() -> Truth:
    events: dict[str, Any] = {name: [None] * 6 for name in TRANSACTION_SCHEMA.names}
    events |= {"event_id": IDS, "event_time_ns": list(range(6)), "card_id": [f"c{n}" for n in range(6)]}
    events |= {"amount_minor": [100] * 6, "currency": ["EUR"] * 6}
    known: dict[str, Any] = {"event_id": IDS, "is_fraud": FRAUD}
    labels = {name: known.get(name, [None] * 6) for name in LABEL_SCHEMA.names}
    return Truth(pa.table(events, schema=TRANSACTION_SCHEMA), pa.table(labels, schema=LABEL_SCHEMA), k=2)


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
    found = price(decisions, np.arange(6), would, truth())
    assert (found.events, found.frauds, found.k) == (6, 3, 2)
    assert (found.alerts_missed, found.frauds_missed, found.alerts_more) == (3, 2, 1)
    assert (found.recall, found.recall_model) == (0.0, 2 / 3)
    assert found.precision_at_k_model == 1.0
    assert found.precision_at_k is not None
    assert found.precision_at_k < 1.0
