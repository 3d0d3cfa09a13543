from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.capacity.growth import explanation_growth, lag_growth_per_s, measured_lag


def test_a_short_lag_has_no_slope() -> None:
    assert lag_growth_per_s(np.array([1, 100])) is None
    assert lag_growth_per_s(np.array([1, 3, 5])) == pytest.approx(2.0)


def test_lag_counts_after_the_warm_up_and_before_the_last_second(tmp_path: Path) -> None:
    rows = {"second": range(7), "sent": [9, 9, 9, 9, 9, 0, 0], "lag": [90, 80, 1, 2, 3, 4, 5]}
    pq.write_table(pa.table({name: list(values) for name, values in rows.items()}), tmp_path / "timeline.parquet")
    assert measured_lag(tmp_path / "timeline.parquet", 2.0).tolist() == [1, 2]


def test_explanations_without_instants_say_nothing(tmp_path: Path) -> None:
    assert explanation_growth(tmp_path / "none.parquet") == 0.0
    instants = pa.nulls(40, pa.int64())
    rows = {"measured": [True] * 40, "decided_ns": instants, "emitted_ns": instants}
    pq.write_table(pa.table(rows), tmp_path / "explanations.parquet")
    assert explanation_growth(tmp_path / "explanations.parquet") == 0.0
