"""Customers ranked on each side of an onset: together, by the rules and by the model."""

from typing import Any

import numpy as np
import pyarrow as pa

from harness.decision_rows import DECISION_ROWS_SCHEMA
from harness.drift.replays.customer_quality import Bank, customer_side
from tests.unit.harness.aml.made import CUSTOMERS, MEMBERS, SENT, TYPOLOGY, accounts, laundering, members, transfers

BANK = Bank(transfers(SENT), laundering(SENT, TYPOLOGY), accounts(CUSTOMERS), members(MEMBERS, TYPOLOGY), ())
IS_AFTER = np.array([row.day >= 2 for row in SENT])


def customer(name: str, score: float, rule_score: float, margin: float | None) -> dict[str, Any]:
    nothing = {"account_id": f"acc-{name}", "typology": None}
    return {"customer_id": name, "score": score, "rule_score": rule_score, "margin": margin, **nothing}


def decided(ordinal: int, *customers: dict[str, Any]) -> dict[str, Any]:
    blank: dict[str, Any] = dict.fromkeys(DECISION_ROWS_SCHEMA.names)
    here = {"event_id": f"t{ordinal}", "ordinal": ordinal, "measured": True, "status": "decided", "path": "model"}
    times = {"intended_ns": 1, "sent_ns": 1, "response_ns": 1}
    return blank | here | times | {"customers": list(customers)}


def decisions() -> pa.Table:
    """Before, rules and model both see a; after, only the rules see d, and the model gives no score of e."""
    rows = [
        decided(0, customer("shop", 0.2, 0.0, -3.0)),
        decided(1, customer("a", 0.9, 0.8, 2.0), customer("b", 0.8, 0.7, 1.0)),
        decided(2),
        decided(3, customer("c", 0.7, 0.6, 0.5)),
        decided(4, customer("d", 0.9, 0.9, -4.0), customer("e", 0.5, 0.5, None)),
        decided(5, customer("f", 0.3, 0.0, 1.0), customer("shop", 0.2, 0.0, 0.5)),
        decided(6),
    ]
    return pa.Table.from_pylist(rows, schema=DECISION_ROWS_SCHEMA)


def test_each_side_has_worklists_and_patterns_of_its_own() -> None:
    before = customer_side(BANK, decisions(), ~IS_AFTER, 3)
    after = customer_side(BANK, decisions(), IS_AFTER, 3)
    assert (before["decided"].bad, before["decided"].recall, before["decided"].pr_auc) == (3, 1.0, 1.0)
    assert (after["decided"].bad, after["decided"].recall, after["decided"].pr_auc) == (2, 1.0, 1.0)
    assert (before["rules"].pr_auc, before["model"].pr_auc) == (1.0, 1.0)
    assert after["rules"].pr_auc == 1.0
    assert after["model"].pr_auc is not None
    assert after["model"].pr_auc < 0.5
    assert after["model"].events == 3
