from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.hgrm import write_hgrm
from harness.latency import new_histogram, record
from harness.tail import measure_tail, samples_told, tail_of


def test_the_interval_is_of_two_samples_around_the_quantile() -> None:
    tail = tail_of(np.arange(1, 10_001) * 1_000_000, 9_950.0)
    assert tail.low_ms is not None
    assert tail.high_ms is not None
    assert 9_860 < tail.low_ms < 9_900 < tail.high_ms < 9_940
    assert (tail.over, tail.finding) == (50, "kept")


def test_few_samples_have_no_upper_bound() -> None:
    tail = tail_of(np.full(100, 5_000_000), 1_000.0)
    assert tail.low_ms == 5.0
    assert tail.high_ms is None
    assert (tail.finding, tail.needed) == ("undecided", 459)


def test_nothing_measured_shows_nothing() -> None:
    tail = tail_of(np.zeros(0, np.int64), 1_000.0)
    assert (tail.samples, tail.low_ms, tail.high_ms, tail.finding) == (0, None, None, "undecided")


def test_only_measured_rows_count(tmp_path: Path) -> None:
    rows = pa.table(
        {"measured": [False] * 500 + [True] * 500, "response_ns": [9_000_000_000] * 500 + [1_000_000] * 500}
    )
    pq.write_table(rows, tmp_path / "decisions.parquet")
    tail = measure_tail(tmp_path / "decisions.parquet", 1_000.0)
    assert (tail.samples, tail.over, tail.finding) == (500, 0, "kept")


def test_a_run_too_short_for_its_limit_is_told_before() -> None:
    assert "measures only 458: too short" in samples_told(458, 1_000.0)
    assert samples_told(459, 1_000.0).endswith("this run measures 459")


def test_hgrm_holds_the_percentiles(tmp_path: Path) -> None:
    histogram = new_histogram()
    record(histogram, np.arange(1, 1_001) * 1_000_000)
    (path,) = write_hgrm(tmp_path, [("response", histogram), ("service", new_histogram())])
    lines = [line.split() for line in path.read_text().splitlines() if line[:1] == " " and "Percentile" not in line]
    value, percentile, count, _ = (float(part) for part in lines[len(lines) // 2])
    assert abs(value - 1_000 * percentile) <= 2
    assert abs(count - 1_000 * percentile) <= 1.5
    assert float(lines[-1][0]) >= 1_000
