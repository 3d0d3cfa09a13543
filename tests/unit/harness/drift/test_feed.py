"""Batches of recorded decisions, labels' arrivals, owners and groups."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.drift.feed import Arrivals, Sides, batch_of, content_hash, in_order
from harness.drift.sides import account_sides, arrivals_of, card_sides
from harness.drift.watch import stored_bins

DAY_NS = 86_400 * 10**9


def events() -> pa.Table:
    return pa.table(
        {
            "event_id": ["a", "b", "c", "d"],
            "event_time_ns": pa.array([1, 2, 3, 4], pa.int64()),
            "card_id": pa.array(["x", "y", "x", "z"]).dictionary_encode(),
            "amount_minor": pa.array([100, 200, 100, None], pa.int64()),
            "latitude": pa.array([1.5, None, 1.5, 0.0]),
        }
    )


def rule(code: str) -> dict[str, Any]:
    return {"code": code, "kind": "rule"}


def decisions() -> pa.Table:
    rows = [np.array([1.0, 2.0], "<f4").tobytes(), None, np.array([3.0, 4.0], "<f4").tobytes()]
    return pa.table(
        {
            "ordinal": pa.array([2, 1, 0, 3], pa.int64()),
            "outcome": ["block", "approve", "review", None],
            "path": ["rules", "fallback", "model", None],
            "score": pa.array([0.9, None, 0.2, None]),
            "features": pa.array([*rows, None], pa.binary()),
            "reasons": pa.array(
                [[rule("R1"), {"code": "amount", "kind": "feature"}], [], [rule("R2"), rule("R1")], None],
                pa.list_(pa.struct([("code", pa.string()), ("kind", pa.string())])),
            ),
        }
    )


def test_answered_decisions_in_the_order_of_events() -> None:
    sides = Sides(np.array([0, 1, 0, 2], np.int32), np.array([0, -1, 0, -1], np.int16), ("young",))
    batch, names = batch_of(decisions(), events(), sides, ("f", "g"))
    assert batch.ordinal.tolist() == [0, 1, 2]
    assert batch.event_time_ns.tolist() == [1, 2, 3]
    assert (batch.outcome.tolist(), batch.path.tolist()) == ([1, 0, 2], [1, 2, 0])
    assert batch.is_model.tolist() == [True, False, False]
    assert batch.features[[0, 2]].tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert np.isnan(batch.features[1]).all()
    hits = [(int(row), names.rules[code]) for row, code in zip(batch.hit_row, batch.hit_rule, strict=True)]
    assert hits == [(0, "R2"), (0, "R1"), (2, "R1")]
    assert names.groups == ("young",)
    part = batch.between(1, 3)
    assert (part.hit_row.tolist(), part.key.tolist()) == ([1], [1, 0])


def test_features_may_have_more_bytes_than_32_bits_count() -> None:
    ordered = in_order(decisions())
    assert ordered.schema.field("features").type == pa.large_binary()
    assert ordered["ordinal"].to_pylist() == sorted(ordered["ordinal"].to_pylist())
    without = in_order(decisions().drop_columns(["features"]))
    assert without.equals(ordered.drop_columns(["features"]))


def test_the_same_content_under_another_id_has_the_same_hash() -> None:
    found = content_hash(events())
    assert found[0] == found[2]
    assert len(set(found.tolist())) == 3


def test_labels_arrive_after_their_delay_and_unreported_fraud_counts_as_good() -> None:
    times = np.array([0, DAY_NS, 2 * DAY_NS])
    arrivals = Arrivals.delayed(times, np.array([True, True, False]), np.array([9 * DAY_NS, -1, -1]), 7 * DAY_NS)
    assert arrivals.ordinal.tolist() == [1, 0, 2]
    assert arrivals.is_bad.tolist() == [False, True, False]
    assert arrivals.until(8 * DAY_NS, 9 * DAY_NS).ordinal.tolist() == [0, 2]
    assert len(arrivals.until(-1, 7 * DAY_NS).ordinal) == 0


def test_cards_have_their_holders_segment() -> None:
    profiles = pa.table({"card_id": ["y", "x"], "segment": pa.array(["old", "young"]).dictionary_encode()})
    sides = card_sides(events(), profiles)
    assert sides.groups[0] == "young"  # two of its events, one of the other's
    assert [sides.groups[code] if code >= 0 else None for code in sides.group.tolist()] == [
        "young",
        "old",
        "young",
        None,
    ]
    assert card_sides(events(), None).group.tolist() == [-1] * 4


def test_a_transfer_is_its_senders_else_its_receivers() -> None:
    transfers = pa.table({"from_account": ["p", None, None], "to_account": ["q", "q", None]})
    accounts = pa.table({"account_id": ["p", "q"], "market": ["DE", "FR"]})
    sides = account_sides(transfers, accounts)
    assert sides.key.tolist() == [0, 1, -1]
    assert [sides.groups[code] for code in sides.group[:2].tolist()] == ["DE", "FR"]
    assert sides.group[2] == -1


@pytest.mark.parametrize("reported", [None, {"b": 5 * DAY_NS}])
def test_laundering_is_known_after_the_delay_or_when_it_was_found(reported: dict[str, int] | None) -> None:
    labels = pa.table({"event_id": ["a", "b", "c", "d"], "is_laundering": [False, True, False, True]})
    arrivals = arrivals_of(events(), labels, 7 * DAY_NS, reported)
    bad = dict(zip(arrivals.ordinal[arrivals.is_bad].tolist(), arrivals.at_ns[arrivals.is_bad].tolist(), strict=True))
    assert bad == ({1: 5 * DAY_NS} if reported else {1: 2 + 7 * DAY_NS, 3: 4 + 7 * DAY_NS})


def test_the_warm_states_bins_count_before_the_bundles() -> None:
    bundle = {"reference": {"score": {"edges": [1]}, "features": {"f": {}}}}
    assert stored_bins({"score": {"edges": [2]}}, bundle) == {"score": {"edges": [2]}, "features": {"f": {}}}
    assert stored_bins(None, None) == {"score": None, "features": None}
