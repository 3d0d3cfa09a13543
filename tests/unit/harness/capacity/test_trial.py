"""What counts as held, and whose limit it is when it is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from harness.capacity.trial import Point, judge_trial
from harness.latency_results import Distribution, Floor
from harness.results import PathCounts, Results, Verdict
from harness.slo_option import LatencyLimit, parse_limit
from streams.errors import BadInputError

LIMIT = LatencyLimit(0.99, 50.0)
FLAT = [5, 4, 6, 5, 4, 0]
QUICK = Distribution(count=500, p50=1.0, p90=2.0, p99=9.0, p999=12.0, max=13.0)
SLOW = Distribution(count=500, p50=1.0, p90=2.0, p99=70.0, p999=90.0, max=99.0)


def floor_of(response: Distribution, lost: int = 0) -> Floor:
    return Floor(response=response, service=response, schedule_delay=QUICK, duration_s=5.0, lost=lost)


class Runs:
    """Makes run folders and judges them."""

    def __init__(self, folder: Path, results: Results) -> None:
        self.folder, self.results = folder, replace(results, verdict=Verdict(status="pass", reasons=[]))

    def judge(
        self,
        response_ms: list[float],
        lag: list[int] | None = None,
        *,
        late_ms: float = 0.0,
        table_wait_ms: float | None = None,
        limit: LatencyLimit = LIMIT,
        slower: Path | None = None,
        **changes: Any,
    ) -> Point:
        lag = FLAT if lag is None else lag
        count, warmup = len(response_ms) + 50, 50
        response_ns = (np.array([400.0] * warmup + response_ms) * 1e6).astype(np.int64)
        intended = np.arange(count) * 1_000
        rows = {
            "event_id": [f"e{number}" for number in range(count)],
            "measured": np.arange(count) >= warmup,
            "outcome": ["block" if number % 50 == 0 else "approve" for number in range(count)],
            "response_ns": response_ns,
            "intended_ns": intended,
            "sent_ns": intended + round(late_ms * 1e6),
            "stage_table_wait_ns": pa.array(
                [None if table_wait_ms is None else round(table_wait_ms * 1e6)] * count, pa.int64()
            ),
        }
        pq.write_table(pa.table(rows), self.folder / "decisions.parquet")
        timeline = {"second": np.arange(len(lag)), "sent": [100] * (len(lag) - 1) + [0], "lag": lag}
        pq.write_table(pa.table(timeline), self.folder / "timeline.parquet")
        return judge_trial(replace(self.results, **changes), self.folder, limit, slower)

    def counts(self, **changes: Any) -> Any:
        return replace(self.results.counts, **changes)

    def load(self, **changes: Any) -> Any:
        return replace(self.results.load, **changes)

    def floor(self, floor: Floor) -> Any:
        return replace(self.results.latency_ms, floor=floor)


@pytest.fixture
def runs(tmp_path: Path, results: Results) -> Runs:
    return Runs(tmp_path, results)


def test_a_rate_that_is_held(runs: Runs) -> None:
    point = runs.judge([10.0] * 1_000)
    assert point.held
    assert (point.reasons, point.limited_by) == ((), None)
    assert (point.lag_max, point.quantile_ms) == (6, 10.0)


def test_the_latency_test_asks_for_evidence(runs: Runs) -> None:
    point = runs.judge([10.0] * 991 + [60.0] * 9)
    assert (point.held, point.limited_by) == (False, "scorer")
    assert point.reasons == ("P99 ≤ 50 ms cannot be shown: 9 of 1,000 responses took longer",)
    assert "is broken" in runs.judge([10.0] * 900 + [60.0] * 100).reasons[0]


def test_a_wait_for_the_nightly_job_is_named(runs: Runs) -> None:
    point = runs.judge([80.0] * 1_000, table_wait_ms=70.0)
    assert point.table_wait_max_ms == 70.0
    assert "some waited for the nightly job, up to 70 ms" in point.reasons[0]
    assert "nightly" not in runs.judge([80.0] * 1_000, table_wait_ms=10.0).reasons[0]
    assert runs.judge([10.0] * 1_000).table_wait_max_ms is None


def test_too_few_samples_say_nothing_of_the_scorer(runs: Runs) -> None:
    point = runs.judge([1.0] * 400)
    assert "at least 459" in point.reasons[0]
    assert point.limited_by == "harness"
    assert runs.judge([1.0] * 500, [1, 2, 0]).limited_by == "harness"


def test_a_growing_backlog_is_not_held(runs: Runs) -> None:
    point = runs.judge([10.0] * 1_000, [10, 20, 30, 40, 50, 60, 0])
    assert point.reasons == ("the backlog grew by 10.0 events/s",)
    assert point.limited_by == "scorer"


def test_explanations_that_fall_behind_are_not_held(runs: Runs) -> None:
    decided = np.arange(100) * 10_000_000
    for share, held in ((0.001, True), (0.2, False)):
        rows = {"measured": [True] * 100, "decided_ns": decided, "emitted_ns": decided + (decided * share).astype(int)}
        pq.write_table(pa.table(rows), runs.folder / "explanations.parquet")
        point = runs.judge([10.0] * 1_000)
        assert point.held is held
    assert point.reasons == ("explanations fell behind by 200 ms a second",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lost": 3}, "3 of 100 events were lost"),
        ({"lost": 2, "dead_lettered": 2}, "2 events were refused by the scorer"),
        ({"duplicated": 1}, "1 events were decided more than once"),
        ({"late": 1}, "decided after the time-out"),
        ({"explanations_missing": 4}, "4 decisions that were to be explained never were"),
        ({"by_path": PathCounts(rules=20, model=78, fallback=2)}, "2 events were decided by the fallback"),
    ],
)
def test_bad_answers_are_the_scorers(runs: Runs, change: dict[str, Any], words: str) -> None:
    point = runs.judge([10.0] * 1_000, counts=runs.counts(**change))
    assert (point.held, point.limited_by) == (False, "scorer")
    assert words in point.reasons[0]


@pytest.mark.parametrize(
    ("slo", "words"),
    [
        ({"precision_at_k_min": 0.3}, "precision@K 0.25 is below 0.3"),
        ({"pr_auc_min": 0.7}, "PR-AUC 0.6 is below 0.7"),
        ({"psi_score_max": 0.001}, "PSI of the score 0.01 exceeds 0.001"),
        ({"recall_min": 0.1}, "recall could not be measured"),
    ],
)
def test_the_scenarios_limits_of_quality_count(runs: Runs, slo: dict[str, float], words: str) -> None:
    point = runs.judge([10.0] * 1_000, slo={"response_p99_ms": 1_000.0, **slo})
    assert not point.held
    assert words in point.reasons[0]


def test_the_scenarios_own_limit_of_time_does_not(runs: Runs) -> None:
    assert runs.judge([10.0] * 1_000, slo={"response_p99_ms": 1.0}).held


def test_day_tables_that_came_too_late_count(runs: Runs) -> None:
    point = runs.judge([10.0] * 1_000, scorers=[{"tables_missed": 2}, {"tables_missed": None}, {}])
    assert point.reasons == ("2 day tables came too late, and older ones were used",)


def test_what_load_and_broker_did_not_do_is_not_the_scorers(runs: Runs) -> None:
    slow = runs.judge([10.0] * 1_000, load=runs.load(achieved_per_s=90.0))
    assert (slow.held, slow.limited_by) == (False, "harness")
    assert "only 90 of 100 events/s could be sent" in slow.reasons[0]
    untaken = runs.judge([10.0] * 1_000, counts=runs.counts(undelivered=4))
    assert untaken.limited_by == "harness"


def test_a_late_load_counts_in_the_response_time(runs: Runs) -> None:
    late = runs.judge([60.0] * 1_000, late_ms=55.0)
    assert (late.held, late.limited_by) == (False, "harness")
    assert "counted from when events were really sent, P99 ≤ 50 ms is kept" in late.reasons[1]
    assert runs.judge([60.0] * 1_000, late_ms=5.0).limited_by == "scorer"
    assert runs.judge([40.0] * 1_000, late_ms=30.0).held


@pytest.mark.parametrize(
    ("floor", "by", "words"),
    [
        (floor_of(QUICK), "scorer", "is broken"),
        (floor_of(SLOW), "harness", "the null scorer at this rate is no faster: its P99 is 70.0 ms"),
        (floor_of(QUICK, lost=3), "harness", "the null scorer at this rate lost 3 events too"),
    ],
)
def test_a_floor_that_fails_too_clears_the_scorer(runs: Runs, floor: Floor, by: str, words: str) -> None:
    point = runs.judge([60.0] * 1_000, latency_ms=runs.floor(floor))
    assert point.limited_by == by
    assert words in point.reasons[-1]


def test_the_floor_is_asked_for_no_higher_percentile_than_the_limits(runs: Runs) -> None:
    point = runs.judge([60.0] * 1_000, limit=LatencyLimit(0.95, 50.0), latency_ms=runs.floor(floor_of(SLOW)))
    assert point.limited_by == "scorer"


def test_decisions_must_be_those_of_a_slower_run(runs: Runs) -> None:
    runs.judge([10.0] * 600)
    before = pq.read_table(runs.folder / "decisions.parquet")
    for changed, held in ((0, True), (1, False)):
        outcomes = ["review" if row == 7 and changed else one for row, one in enumerate(before["outcome"].to_pylist())]
        slower = runs.folder / "slower.parquet"
        pq.write_table(
            before.set_column(before.schema.get_field_index("outcome"), "outcome", pa.array(outcomes)), slower
        )
        point = runs.judge([10.0] * 1_000, slower=slower)
        assert (point.held, point.shared, point.changed) == (held, 650, changed)
    assert "1 of 650 events were decided otherwise" in point.reasons[0]


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
