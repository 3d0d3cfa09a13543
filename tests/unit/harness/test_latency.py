"""Histograms against exact percentiles, and what may not be averaged away."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hdrh.log import HistogramLogReader
from hypothesis import given
from hypothesis import strategies as st

from harness.decision_rows import DECISION_ROWS_SCHEMA
from harness.latency import HIGHEST_NS, bucket_indices, measure_latency, new_histogram, record, summarise

S = 1_000_000_000


@given(st.lists(st.integers(0, HIGHEST_NS), min_size=1, max_size=200))
def test_bucket_indices_are_the_librarys(values: list[int]) -> None:
    histogram = new_histogram()
    found = bucket_indices(np.array(values, dtype=np.int64)).tolist()
    assert found == [histogram._counts_index_for(value) for value in values]


def test_vectorised_recording_equals_one_by_one() -> None:
    values = np.random.default_rng(1).lognormal(14, 2, 3_000).astype(np.int64)
    fast, slow = new_histogram(), new_histogram()
    record(fast, values)
    for value in values.tolist():
        slow.record_value(value)
    assert fast.equals(slow)
    assert (fast.min_value, fast.max_value, fast.total_count) == (slow.min_value, slow.max_value, slow.total_count)


def test_percentiles_are_exact_to_three_digits() -> None:
    values = np.random.default_rng(2).lognormal(15, 1.5, 100_000).astype(np.int64)
    histogram = new_histogram()
    record(histogram, values)
    found = summarise(histogram)
    exact = np.sort(values)[[49_999, 89_999, 98_999, 99_899]] / 1e6
    assert [found.p50, found.p90, found.p99, found.p999] == pytest.approx(exact.tolist(), rel=1e-3)
    assert found.max == values.max() / 1e6
    assert found.count == 100_000


def test_negative_and_overflow_are_counted_and_left_out() -> None:
    histogram = new_histogram()
    negative, over = record(histogram, np.array([-1, -5, 10, HIGHEST_NS + 1], dtype=np.int64))
    assert (negative, over, histogram.total_count) == (2, 1, 1)


def test_nothing_recorded_is_none() -> None:
    assert summarise(new_histogram()).p99 is None


def _rows(path: Path, rows: list[dict[str, Any]]) -> None:
    base = {"outcome": "approve", "score": 0.5, "measured": True, "status": "decided", "path": "rules"}
    filled = [{"event_id": f"e{i}", "ordinal": i, **base, **row} for i, row in enumerate(rows)]
    pq.write_table(pa.Table.from_pylist(filled, schema=DECISION_ROWS_SCHEMA), path)


def _row(intended: int, sent: int, received: int | None, **more: Any) -> dict[str, Any]:
    response = 30 * S if received is None else received - intended
    return {"intended_ns": intended, "sent_ns": sent, "received_ns": received, "response_ns": response, **more}


def test_lost_events_count_at_the_ceiling_and_the_warm_up_does_not(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    _rows(
        path,
        [
            _row(0, 0, 9 * S, measured=False),
            _row(1 * S, 1 * S + 5, 1 * S + 1_000_000, service_ns=400_000, stage_model_ns=100_000),
            _row(2 * S, 2 * S + 5, 2 * S + 2_000_000, path="model", service_ns=600_000),
            _row(3 * S, 3 * S + 5, None, path=None, status="lost"),
        ],
    )
    log = measure_latency(path, 0, tmp_path / "x.hlog")
    response = log.percentiles("response")
    assert response.count == 3
    assert response.max == 30_000.0
    assert log.percentiles("response.model").count == 1
    assert log.percentiles("service").count == 2
    assert log.percentiles("stage.model").max == 0.1
    assert log.percentiles("schedule_delay").max == 5 / 1e6


def test_log_has_tagged_seconds_that_add_up(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    received = np.sort(rng.integers(0, 5 * S, 400))
    path = tmp_path / "d.parquet"
    _rows(path, [_row(max(0, int(t) - 1_000_000), 0, int(t)) for t in received])
    log = measure_latency(path, 0, tmp_path / "x.hlog")
    reader = HistogramLogReader(str(tmp_path / "x.hlog"), new_histogram())
    counts: dict[str, int] = {}
    seconds = set()
    while (interval := reader.get_next_interval_histogram()) is not None:
        counts[interval.get_tag()] = counts.get(interval.get_tag(), 0) + interval.get_total_count()
        seconds.add(interval.get_start_time_stamp())
    reader.close()
    assert counts["response"] == counts["response.rules"] == 400
    assert log.percentiles("response").count == 400
    assert seconds == {0.0, 1000.0, 2000.0, 3000.0, 4000.0}


def test_a_stall_shows_as_long_as_it_was(tmp_path: Path) -> None:
    """Coordinated omission: a stall of S in a run of T at an even rate gives quantile q ≈ S - (1-q)·T."""
    total, stall, rate = 30.0, 1.4, 2_000
    intended = (np.arange(int(total * rate)) * S // rate).astype(np.int64)
    begins = int(10 * S)
    ends = begins + int(stall * S)
    received = np.where((intended >= begins) & (intended < ends), ends, intended) + 1_000_000
    path = tmp_path / "d.parquet"
    _rows(path, [_row(int(i), int(i), int(r)) for i, r in zip(intended, received, strict=True)])
    p99 = measure_latency(path, 0, None).percentiles("response").p99
    assert p99 == pytest.approx((stall - 0.01 * total) * 1e3, rel=0.01)


def test_whole_minutes_are_told_by_themselves(tmp_path: Path) -> None:
    """From the first measured second on; a minute without an answer has none, one that is not whole is left out."""
    path = tmp_path / "d.parquet"
    seconds = [7, 40, 66, 67, 187, 247, 250]
    _rows(path, [_row((at - 1) * S + number * 1_000_000, 0, at * S) for number, at in enumerate(seconds)])
    minutes = measure_latency(path, 0, None).minutes
    assert [minute.count for minute in minutes] == [3, 1, 0, 1]
    assert [minute.max for minute in minutes] == [1000.0, 997.0, None, 996.0]


def test_the_last_minute_counts_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    _rows(path, [_row((at - 1) * S, 0, at * S) for at in (1, 59, 60)])
    assert [minute.count for minute in measure_latency(path, 0, None).minutes] == [3]
