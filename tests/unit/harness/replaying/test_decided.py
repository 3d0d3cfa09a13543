"""One hash over what was decided: by what was decided alone, to the last bit."""

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.replaying.decided import decisions_hash, read_decided
from streams.errors import BadInputError
from tests.unit.harness.replaying.made import EVENTS, customer, lost, reason, row, write_decisions

ROWS = [row(n, reasons=[reason("R1")] if n == 3 else []) for n in range(EVENTS - 1)] + [lost(EVENTS - 1)]


def hash_of(folder: Path, rows: list[dict[str, Any]]) -> str:
    return decisions_hash(read_decided(write_decisions(folder / "decisions.parquet", rows)))


def changed(ordinal: int, **changes: Any) -> list[dict[str, Any]]:
    return [each | changes if each["ordinal"] == ordinal else each for each in ROWS]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(order=st.permutations(ROWS))
def test_the_order_of_receipt_is_no_part_of_it(tmp_path: Path, order: list[dict[str, Any]]) -> None:
    assert hash_of(tmp_path, order) == hash_of(tmp_path, ROWS)


@pytest.mark.parametrize(
    "changes",
    [
        {"worker": "worker-7"},
        {"taken_ns": 7, "emitted_ns": 9, "response_ns": 3, "sent_ns": 1, "intended_ns": 5},
        {"status": "late"},
        {"measured": False},
    ],
)
def test_how_it_came_about_is_no_part_of_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert hash_of(tmp_path, changed(3, **changes)) == hash_of(tmp_path, ROWS)


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": "evt-0033"},
        {"outcome": "block"},
        {"score": math.nextafter(0.3, 1.0)},
        {"score": None},
        {"path": "fallback"},
        {"reasons": []},
        {"reasons": [reason("R1"), reason("R2")]},
        {"reasons": [reason("R1", 1e-300)]},
        {"reasons": [reason("R1") | {"text": "R1 fire"}]},
        {"customers": [customer("c", 0.3)]},
        {"outcome": None, "score": None, "path": None},
    ],
    ids=str,
)
def test_each_part_of_a_decision_counts(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert hash_of(tmp_path, changed(3, **changes)) != hash_of(tmp_path, ROWS)


def test_words_do_not_run_into_each_other(tmp_path: Path) -> None:
    one = [row(0, event_id="a"), row(1, event_id="bc")]
    other = [row(0, event_id="ab"), row(1, event_id="c")]
    assert hash_of(tmp_path, one) != hash_of(tmp_path, other)


def test_a_column_that_an_older_run_lacks_is_null(tmp_path: Path) -> None:
    rows = [row(n, customers=None) for n in range(EVENTS)]
    whole = write_decisions(tmp_path / "whole.parquet", rows)
    pq.write_table(pq.read_table(whole).drop_columns(["customers"]), tmp_path / "older.parquet")
    assert decisions_hash(read_decided(tmp_path / "older.parquet")) == decisions_hash(read_decided(whole))


def test_no_decisions_have_a_hash_too(tmp_path: Path) -> None:
    assert hash_of(tmp_path, []) != hash_of(tmp_path, ROWS)


def test_what_is_no_parquet_is_said(tmp_path: Path) -> None:
    (tmp_path / "decisions.parquet").write_bytes(b"no")
    with pytest.raises(BadInputError, match="cannot be read as decisions"):
        read_decided(tmp_path / "decisions.parquet")


def test_the_rows_are_in_the_order_of_their_ids(tmp_path: Path) -> None:
    read = read_decided(write_decisions(tmp_path / "d.parquet", ROWS[::-1]))
    assert read["event_id"].to_pylist() == sorted(read["event_id"].to_pylist())
    assert read.schema.field("outcome").type == pa.string()
