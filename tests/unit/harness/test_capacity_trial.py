from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.capacity_trial import Point, judge_trial, lag_growth_per_s
from harness.slo_option import LatencyLimit, parse_limit
from streams.errors import BadInputError

LIMIT = LatencyLimit(0.99, 50.0)


def run(folder: Path, response_ms: list[float], lag: list[int], **changes: Any) -> Point:
    warmup = [400.0] * 50
    rows = {
        "measured": [False] * len(warmup) + [True] * len(response_ms),
        "response_ns": (np.array(warmup + response_ms) * 1e6).astype(np.int64),
    }
    pq.write_table(pa.table(rows), folder / "decisions.parquet")
    seconds = len(lag)
    timeline = {"second": np.arange(seconds), "sent": [100] * (seconds - 1) + [0], "lag": lag}
    pq.write_table(pa.table(timeline), folder / "timeline.parquet")
    results: dict[str, Any] = {
        "verdict": {"status": "pass", "reasons": []},
        "load": {"achieved_per_s": 100.0, "warmup_s": 2.0},
        "counts": {"lost": 0, "by_path": {"fallback": 0}},
        "latency_ms": {"response": {"p50": 1.0, "p99": 2.0}},
    }
    return judge_trial(100.0, results | changes, folder, LIMIT)


FLAT = [900, 900, 5, 4, 6, 5, 4, 0]


def test_a_rate_that_is_held(tmp_path: Path) -> None:
    point = run(tmp_path, [10.0] * 1_000, FLAT)
    assert point.held
    assert point.reasons == ()
    assert (point.lag_max, point.quantile_ms) == (6, 10.0)


def test_the_latency_test_asks_for_evidence(tmp_path: Path) -> None:
    point = run(tmp_path, [10.0] * 991 + [60.0] * 9, FLAT)
    assert not point.held
    assert "9 of 1,000 responses took longer" in point.reasons[0]


def test_too_few_samples_show_nothing(tmp_path: Path) -> None:
    assert "at least 459" in run(tmp_path, [1.0] * 400, FLAT).reasons[0]


def test_a_growing_backlog_is_not_held(tmp_path: Path) -> None:
    point = run(tmp_path, [10.0] * 1_000, [0, 0, 10, 20, 30, 40, 50, 60, 0])
    assert point.reasons == ("the backlog grew by 10.0 events/s",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"counts": {"lost": 3, "by_path": {"fallback": 0}}}, "3 events were lost"),
        ({"counts": {"lost": 0, "by_path": {"fallback": 2}}}, "2 events were decided by the fallback"),
        ({"verdict": {"status": "invalid", "reasons": ["late load"]}}, "invalid: late load"),
    ],
)
def test_losses_fallbacks_and_invalid_runs_are_not_held(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    assert words in run(tmp_path, [10.0] * 1_000, FLAT, **change).reasons[0]


def test_a_failed_quality_limit_does_not_matter_to_the_rate(tmp_path: Path) -> None:
    failed = {"verdict": {"status": "fail", "reasons": ["PR-AUC 0.1 is below 0.3"]}}
    assert run(tmp_path, [10.0] * 1_000, FLAT, **failed).held


def test_a_short_lag_has_no_slope() -> None:
    assert lag_growth_per_s(np.array([1, 100])) == 0.0


@pytest.mark.parametrize(
    ("written", "q", "limit_ms"),
    [("p99=50ms", 0.99, 50.0), ("p99.9=1s", 0.999, 1_000.0), ("p50 <= 250us", 0.5, 0.25), ("p95≤7.5ms", 0.95, 7.5)],
)
def test_limits_are_read(written: str, q: float, limit_ms: float) -> None:
    found = parse_limit(written)
    assert found.q == pytest.approx(q)
    assert found.limit_ms == pytest.approx(limit_ms)


@pytest.mark.parametrize("written", ["50ms", "p99", "p99=50", "p10=5ms", "p99=0ms", "p99=9999s", "p100=5ms", "p99=5m"])
def test_what_is_no_limit_is_refused(written: str) -> None:
    with pytest.raises(BadInputError, match="--slo"):
        parse_limit(written)
