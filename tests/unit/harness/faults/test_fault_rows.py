"""A run's rows as faults are measured by, beside the same made row by row."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decision_rows import DECISION_ROWS_SCHEMA
from harness.faults.counterfactual import decided
from harness.faults.rows import COLUMNS, NEVER, Rows, read_rows
from streams import stored_rows
from streams.decision import PATHS

STAGES = [name for name in COLUMNS if name.startswith("stage_")]


def made(count: int, seed: int) -> pa.Table:
    """Rows in no order, of which some were lost, some lack stages, and each row group names workers in its own way."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {name: [None] * count for name in DECISION_ROWS_SCHEMA.names}
    lost = (random.random(count) < 0.2).tolist()
    for name in ("intended_ns", "sent_ns", "response_ns"):
        columns[name] = random.integers(0, 10**9, count)
    for name in ("received_ns", "taken_ns", "emitted_ns", *STAGES):
        values = random.integers(0, 10**9, count).tolist()
        columns[name] = [
            None if gone or random.random() < 0.2 else each for gone, each in zip(lost, values, strict=True)
        ]
    columns |= {
        "event_id": [f"e{n}" for n in range(count)],
        "ordinal": random.permutation(count),
        "measured": random.random(count) < 0.7,
        "status": ["lost" if gone else "decided" for gone in lost],
        "path": [None if gone else str(random.choice(PATHS)) for gone in lost],
        "margin": [None if gone or random.random() < 0.3 else float(random.normal()) for gone in lost],
        "worker": [None if gone or random.random() < 0.1 else f"w{random.integers(3)}" for gone in lost],
    }
    return pa.table(columns, schema=DECISION_ROWS_SCHEMA)


def slowly(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Rows but for the workers' numbers, one by one."""
    found = []
    for row in sorted(rows, key=lambda row: row["ordinal"]):
        call = NEVER if row["stage_model_ns"] is None else row["stage_model_ns"]
        unknown = call == NEVER or row["taken_ns"] is None
        end = NEVER if unknown else row["taken_ns"] + sum(row[name] or 0 for name in STAGES)
        found.append((
            *(row[name] for name in ("ordinal", "measured", "intended_ns", "sent_ns")),
            NEVER if row["received_ns"] is None else row["received_ns"],
            row["response_ns"],
            -1 if row["path"] is None else PATHS.index(row["path"]),
            row["margin"],
            NEVER if row["emitted_ns"] is None else row["emitted_ns"],
            call,
            end,
        ))  # fmt: skip
    return found


def told(rows: Rows) -> list[tuple[Any, ...]]:
    margin = [None if np.isnan(each) else each for each in rows.margin.tolist()]
    columns = (
        *(rows.ordinal, rows.measured, rows.intended_ns, rows.sent_ns, rows.received_ns, rows.response_ns),
        *(rows.path, rows.emitted_ns, rows.call_ns, rows.call_end_ns),
    )
    lists = [column.tolist() for column in columns]
    return list(zip(*lists[:7], margin, *lists[7:], strict=True))


@given(count=st.integers(0, 40), group=st.integers(1, 50), block=st.integers(1, 30), seed=st.integers(0, 999))
def test_rows_read_in_blocks_are_those_made_one_by_one(
    count: int, group: int, block: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table, file = made(count, seed), tmp_path_factory.mktemp("rows") / "decisions.parquet"
    pq.write_table(table, file, row_group_size=group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_rows, "BLOCK_ROWS", block)
        found = read_rows(file)
    assert told(found) == slowly(table.to_pylist())
    words = [row["worker"] for row in sorted(table.to_pylist(), key=lambda row: row["ordinal"])]
    number = dict(zip(words, found.worker.tolist(), strict=True))
    assert found.worker.tolist() == [number[word] for word in words]
    assert len(set(number.values())) == len(number)
    assert number.get(None, NEVER) == NEVER


def test_the_rows_of_a_fault_are_those_of_its_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, file = made(300, 1), tmp_path / "decisions.parquet"
    pq.write_table(table, file, row_group_size=70)
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 64)
    columns, wanted = ("event_id", "ordinal", "path"), [7, 8, 9, 200, 299, 8]
    rows = [row for row in table.select(columns).to_pylist() if row["ordinal"] in wanted]
    assert decided(file, np.array(wanted), columns).to_pylist() == rows
    assert decided(file, np.array(wanted)).column_names == table.column_names
