from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capacity.sameness import Sameness, compare_outcomes

OUTCOMES = st.sampled_from(["approve", "review", "block", None])
Rows = dict[str, str | None]


def write(path: Path, rows: Rows) -> Path:
    outcome = pa.array(list(rows.values()), pa.string()).dictionary_encode()
    pq.write_table(pa.table({"event_id": pa.array(list(rows), pa.string()), "outcome": outcome}), path)
    return path


@given(
    one=st.dictionaries(st.sampled_from("abcdefgh"), OUTCOMES, max_size=8),
    other=st.dictionaries(st.sampled_from("abcdefgh"), OUTCOMES, max_size=8),
)
def test_it_counts_what_a_loop_would(one: Rows, other: Rows, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("same")
    both = [(one[key], other[key]) for key in one if other.get(key) is not None and one[key] is not None]
    found = compare_outcomes(write(folder / "one.parquet", one), write(folder / "other.parquet", other))
    assert found == Sameness(
        shared=len(both),
        flagged=sum(a != "approve" or b != "approve" for a, b in both),
        changed=sum(a != b for a, b in both),
    )


def test_one_alert_in_a_hundred_may_change() -> None:
    assert Sameness(10_000, 100, 1).holds
    assert not Sameness(10_000, 100, 2).holds
    assert Sameness(10_000, 0, 0).holds
