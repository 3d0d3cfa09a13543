"""Reasons of decisions and explanations as columns."""

from typing import Any

import numpy as np
import pyarrow as pa

from harness.decision_rows import REASON
from harness.quality.reasons import gather_reasons
from streams.causes import CAUSES


def said(rows: dict[str, list[dict[str, Any]] | None]) -> pa.Table:
    schema = pa.schema([("event_id", pa.string()), ("reasons", pa.list_(REASON))])
    return pa.Table.from_pylist([{"event_id": name, "reasons": given} for name, given in rows.items()], schema=schema)


def rule(code: str) -> dict[str, Any]:
    return {"code": code, "text": "", "kind": "rule", "cause": "velocity"}


def feature(code: str, share: float, cause: str | None = "amount") -> dict[str, Any]:
    return {"code": code, "text": "", "kind": "feature", "contribution": share, "cause": cause}


IDS = pa.chunked_array([["e0", "e1"], ["e2", "e3"]])


def test_explanations_follow_their_decisions() -> None:
    decisions = said({"e2": [rule("R1")], "e0": [], "e1": None})
    explanations = said({"e0": [feature("f", 1.5)], "e2": [feature("g", 0.5, None)], "stranger": [feature("h", 1)]})
    found = gather_reasons(IDS, decisions, explanations)
    assert found.event.tolist() == [0, 2, 2]
    assert [found.codes[code] for code in found.code] == ["f", "R1", "g"]
    assert found.is_rule.tolist() == [False, True, False]
    assert [None if cause < 0 else CAUSES[cause] for cause in found.cause] == ["amount", "velocity", None]
    assert np.isnan(found.contribution[1])


def test_only_the_first_of_two_explanations_counts() -> None:
    both = pa.concat_tables([said({"e1": [feature("first", 1)]}), said({"e1": [feature("second", 1)]})])
    found = gather_reasons(IDS, said({}), both)
    assert [found.codes[code] for code in found.code] == ["first"]


def test_reasons_without_a_cause_column_and_no_reasons_at_all() -> None:
    old = pa.table({"event_id": ["e3"], "reasons": [[{"code": "R", "kind": "rule"}]]})
    found = gather_reasons(IDS, old, None)
    assert (found.event.tolist(), found.cause.tolist()) == ([3], [-1])
    assert len(gather_reasons(IDS, pa.table({"event_id": ["e1"]}), None)) == 0


def test_reasons_of_events_left_out_go_with_them() -> None:
    found = gather_reasons(IDS, said({"e1": [rule("A")], "e3": [rule("B"), rule("C")]}), None)
    kept = found.of_events(np.array([True, False, True, True]))
    assert kept.event.tolist() == [2, 2]
    assert [kept.codes[code] for code in kept.code] == ["B", "C"]
