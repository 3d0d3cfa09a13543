"""Decisions held against the reference's, to the bit."""

from typing import Any

import pyarrow as pa
import pytest

from harness.decision_rows import DECISION_ROWS_SCHEMA
from harness.peers.sameness import agreement

REASONS = DECISION_ROWS_SCHEMA.field("reasons").type
REASON = {"code": "R1", "text": "much", "kind": "rule", "contribution": None, "cause": "amount"}


def decided(*rows: tuple[str, str, str, float, list[Any]]) -> pa.Table:
    ids, outcomes, paths, scores, reasons = (list(column) for column in zip(*rows, strict=True))
    return pa.table(
        {
            "event_id": ids,
            "outcome": outcomes,
            "path": paths,
            "score": pa.array(scores, pa.float64()),
            "reasons": pa.array(reasons, REASONS),
        }
    )


OURS = decided(("a", "approve", "model", 0.1, []), ("b", "block", "rules", 0.9, [REASON]))


def test_the_same_decisions_in_another_order_agree() -> None:
    found = agreement(OURS, OURS.take([1, 0]))
    assert (found.compared, found.differing, found.first) == (2, 0, None)


def test_only_events_that_both_decided_are_compared() -> None:
    theirs = decided(("b", "block", "rules", 0.9, [REASON]), ("c", "block", "rules", 0.9, []))
    assert agreement(OURS, theirs).compared == 1
    assert agreement(OURS, decided(("c", "block", "rules", 0.9, []))).compared == 0


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        (("a", "review", "model", 0.1, []), "outcome"),
        (("a", "approve", "fallback", 0.1, []), "path"),
        (("a", "approve", "model", 0.1000000000000001, []), "score"),
        (("a", "approve", "model", 0.1, [REASON]), "reasons"),
    ],
)
def test_any_difference_is_told(changed: tuple[str, str, str, float, list[Any]], name: str) -> None:
    found = agreement(OURS, decided(changed, ("b", "block", "rules", 0.9, [REASON])))
    assert (found.compared, found.differing) == (2, 1)
    assert found.first is not None
    assert found.first.startswith(f"event a: {name} ")


def test_zeros_of_either_sign_are_not_the_same_bits() -> None:
    plus, minus = (decided(("a", "approve", "rules", zero, [])) for zero in (0.0, -0.0))
    assert agreement(plus, minus).differing == 1
