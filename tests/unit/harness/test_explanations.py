"""Explanations that follow their decisions: matched, counted, kept; who was to be explained and was not is known."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.accounts import Accounts
from harness.disorder import Disorder
from harness.explanations import EXPLANATION_ROWS_SCHEMA, Asked, Explanations
from harness.latency import HIGHEST_NS
from harness.measures import explanation_latency
from tests.audited_run import MEASURED_FROM, build_audited_run, event_id


@pytest.mark.parametrize(
    ("asked", "explained", "missing"),
    [
        ("flagged", (1, 7, 9), 0),
        ("flagged", (1,), 2),
        ("flagged", (1, 5, 7, 9), 0),
        ("all", (1, 7, 9), 6),
        ("none", (1,), None),
    ],
)
def test_who_is_missing(tmp_path: Path, asked: Asked, explained: tuple[int, ...], missing: int | None) -> None:
    counts = build_audited_run(tmp_path / "run", tmp_path / "work", explained=explained, asked=asked)
    found = counts["explanations"]
    assert found["explained"] == len({*explained, 5})
    assert found["missing"] == missing
    assert (found["duplicated"], found["unknown"], found["malformed"]) == (1, 1, 1)


def test_the_rows(tmp_path: Path) -> None:
    build_audited_run(tmp_path / "run", tmp_path / "work", explained=(7, 1))
    table = pq.read_table(tmp_path / "run" / "explanations.parquet")
    assert table.schema == EXPLANATION_ROWS_SCHEMA
    rows = table.to_pylist()
    assert [(row["event_id"], row["measured"]) for row in rows] == [(event_id(7), True), (event_id(1), False)]
    assert rows[0]["reasons"] == [
        {"code": "velocity_1h", "text": "many at once", "kind": "feature", "contribution": 0.75, "cause": "velocity"}
    ]
    assert (rows[0]["decided_ns"], rows[0]["emitted_ns"], rows[0]["explain_ns"]) == (7_000, 2_007_000, 700)
    decisions = pq.read_table(tmp_path / "run" / "decisions.parquet").to_pylist()
    assert next(row for row in decisions if row["ordinal"] == 5)["reasons"][0]["cause"] == "amount"


def test_how_long_explanations_took_is_measured_after_the_warm_up(tmp_path: Path) -> None:
    build_audited_run(tmp_path / "run", tmp_path / "work", explained=(1, 7, 9))
    found = explanation_latency(tmp_path / "run" / "explanations.parquet")
    assert found.latency is not None
    assert found.latency.count == sum(n >= MEASURED_FROM for n in (1, 7, 9))
    assert found.latency.max == pytest.approx(2.0)
    assert (found.negative, found.overflow) == (0, 0)


def test_an_explanation_before_its_decision_is_counted_and_left_out(tmp_path: Path) -> None:
    instants = {"decided_ns": [5_000, 5_000, 0], "emitted_ns": [4_000, 2_005_000, HIGHEST_NS + 1]}
    columns = {"measured": [True] * 3, **instants}
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else None for f in EXPLANATION_ROWS_SCHEMA]
    filled = [pa.nulls(3, f.type) if a is None else a for f, a in zip(EXPLANATION_ROWS_SCHEMA, arrays, strict=True)]
    pq.write_table(pa.Table.from_arrays(filled, names=EXPLANATION_ROWS_SCHEMA.names), tmp_path / "e.parquet")
    found = explanation_latency(tmp_path / "e.parquet")
    assert found.latency is not None
    assert (found.latency.count, found.latency.max, found.negative, found.overflow) == (1, 2.0, 1, 1)


def test_where_none_followed_nothing_was_measured(tmp_path: Path) -> None:
    build_audited_run(tmp_path / "run", tmp_path / "work", explained=(1,))  # an event of the warm-up
    assert explanation_latency(tmp_path / "run" / "explanations.parquet").latency is None


def test_no_message_stops_it(tmp_path: Path) -> None:
    accounts = Accounts(
        hashes=np.zeros(0, np.uint64),
        ordinals=np.zeros(0, np.int64),
        intended_ns=np.zeros(0, np.int64),
        timeout_ns=1,
        state=np.zeros(0, np.uint8),
        disorder=Disorder(np.zeros(0, np.int32)),
    )
    nested, large = b'{"x":' + b"[" * 100_000, b'{"event_id":"a","reasons":[],"emitted_ns":%d}' % 10**30
    with pq.ParquetWriter(tmp_path / "x.parquet", EXPLANATION_ROWS_SCHEMA) as writer:
        explanations = Explanations(accounts, writer, asked="all", measured_from=0)
        explanations.take([(1, nested), (2, b"\xff"), (3, large)])
        assert explanations.finish()["malformed"] == 3
