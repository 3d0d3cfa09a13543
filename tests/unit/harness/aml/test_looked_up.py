"""Rows looked up a block at a time, beside those of the whole table."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.aml.looked_up import look_up
from streams import stored_rows
from tests.example_cases import transfers


@given(
    count=st.integers(0, 30), group=st.integers(1, 31), block=st.integers(1, 31), limit=st.none() | st.integers(0, 40),
    wanted=st.sets(st.integers(0, 40)),
)  # fmt: skip
def test_rows_looked_up_are_those_of_the_table(
    count: int, group: int, block: int, limit: int | None, wanted: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = transfers([(f"a{n % 7}" if n % 3 else None, f"a{n % 5}", n, "wire") for n in range(count)])
    file = tmp_path_factory.mktemp("rows") / "events.parquet"
    pq.write_table(table, file, row_group_size=group)
    ids = {f"t-{n}" for n in wanted}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_rows, "BLOCK_ROWS", block)
        found = look_up(file, pa.array(sorted(ids), pa.string()), limit)
        named = look_up(file, pa.array(sorted(ids), pa.string()), limit, ("event_id", "amount_minor"))
    kept = [row for row in table.slice(0, limit).to_pylist() if row["event_id"] in ids]
    assert found.unify_dictionaries().to_pylist() == kept
    assert found.schema.equals(table.schema)
    assert named.to_pylist() == [{name: row[name] for name in ("event_id", "amount_minor")} for row in kept]
