"""The waterfall against a slow, obvious computation, and what is said where stamps lack or cannot be true."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.decision_rows import DECISION_ROWS_SCHEMA
from harness.decision_rows import STAGES as STAGE_COLUMNS
from harness.latency import new_histogram, record
from harness.waterfall import QUANTILES, STAGES, STEPS, Waterfall, measure_waterfall, windows_of

MS = 1_000_000
TIMEOUT_NS = 30_000 * MS
Row = dict[str, Any]


def _events(count: int, seed: int = 5, lost: int = 0) -> list[Row]:
    """Rows of a run as our own scorer stamps them; the first `lost` events are lost."""
    random = np.random.default_rng(seed)

    def spans(scale_ms: float) -> list[int]:
        return [int(v) for v in random.gamma(2.0, scale_ms * MS, count)]

    names = ("late", "there", *STAGES[:4], "rest", "back")
    drawn = [dict(zip(names, row, strict=True)) for row in zip(*(spans(0.2 * (n + 1)) for n in range(8)), strict=True)]
    rows = []
    for number, span in enumerate(drawn):
        intended = 1_000 * MS + number * 2 * MS
        row: Row = {"ordinal": number, "intended_ns": intended, "sent_ns": intended + span["late"]}
        if number < lost:
            rows.append({**row, "response_ns": TIMEOUT_NS})
            continue
        stages = {f"stage_{stage}_ns": span[stage] for stage in STAGES[:4]}
        taken = row["sent_ns"] + span["there"] + 2 * MS
        emitted = taken + sum(stages.values()) + span["rest"]
        received = emitted + span["back"]
        row |= {"taken_ns": taken, "emitted_ns": emitted, "received_ns": received, **stages}
        rows.append({**row, "response_ns": received - intended})
    return rows


def _measure(folder: Path, rows: list[Row], appended_ns: npt.NDArray[np.int64] | None = None) -> Waterfall | None:
    base = {"measured": True, "status": "decided"}
    filled = [{"event_id": f"e{row['ordinal']}", **base, **row} for row in rows]
    path = folder / "decisions.parquet"
    pq.write_table(pa.Table.from_pylist(filled, schema=DECISION_ROWS_SCHEMA), path, row_group_size=97)
    return measure_waterfall(path, appended_ns)


def _found(folder: Path, rows: list[Row], appended_ns: npt.NDArray[np.int64] | None = None) -> Waterfall:
    found = _measure(folder, rows, appended_ns)
    assert found is not None
    return found


def _appended(rows: list[Row]) -> npt.NDArray[np.int64]:
    """Half-way to the scorer, as whole milliseconds."""
    instants = [row["sent_ns"] + (row.get("taken_ns", row["sent_ns"]) - row["sent_ns"]) // 2 for row in rows]
    return np.array([instant // MS * MS for instant in instants], dtype=np.int64)


def _way(row: Row, noted: int | None) -> dict[str, float]:
    """One event's steps in ns, written out."""
    late = row["sent_ns"] - row["intended_ns"]
    if "received_ns" not in row:
        return {"sent": late, "lost": row["response_ns"] - late}
    stages = {stage: row[f"stage_{stage}_ns"] for stage in STAGES if f"stage_{stage}_ns" in row}
    rest = row["emitted_ns"] - row["taken_ns"] - sum(stages.values())
    way = {"sent": late, **stages, "emitted": rest, "received": row["received_ns"] - row["emitted_ns"]}
    if noted is None:
        return {**way, "taken": row["taken_ns"] - row["sent_ns"]}
    broker = (max(noted, row["sent_ns"]) + min(noted + MS, row["taken_ns"])) // 2 - row["sent_ns"]
    return {**way, "broker": broker, "taken": row["taken_ns"] - row["sent_ns"] - broker}


def _oracle(rows: list[Row], q: float, appended: list[int] | None) -> dict[str, float]:
    """Mean share of each step over the events around the quantile, times the quantile, in ms."""
    responses = sorted(row["response_ns"] for row in rows)
    rank = max(0, math.floor(q * len(rows) + 0.5) - 1)
    half = min(max(round(0.005 * len(rows)), 20), rank // 2, (len(rows) - 1 - rank) // 2)
    low, high = responses[rank - half], responses[rank + half]
    shares: dict[str, list[float]] = {}
    near = [row for row in rows if low <= row["response_ns"] <= high]
    for row in near:
        for step, ns in _way(row, None if appended is None else appended[row["ordinal"]]).items():
            shares.setdefault(step, []).append(ns / row["response_ns"])
    return {step: sum(each) / len(near) * responses[rank] / 1e6 for step, each in shares.items()}


@pytest.mark.parametrize("lost", [0, 40], ids=["none lost", "some lost"])
@pytest.mark.parametrize("with_broker", [True, False], ids=["append times", "no append times"])
def test_the_parts_are_those_of_the_events_around_the_quantile(tmp_path: Path, lost: int, *, with_broker: bool) -> None:
    rows = _events(3_000, lost=lost)
    appended = _appended(rows) if with_broker else None
    found = _found(tmp_path, rows, appended)
    for name, q in QUANTILES.items():
        expected = _oracle(rows, q, None if appended is None else appended.tolist())
        assert found.at[name].parts == pytest.approx(expected, abs=1e-5)
        assert sum(found.at[name].parts.values()) == pytest.approx(found.at[name].response, abs=1e-4)
        assert list(found.at[name].parts) == [step for step in STEPS if step in expected]
    assert (found.events, found.contradicting) == (3_000, 0)


def test_a_steps_own_distribution_is_that_of_its_values(tmp_path: Path) -> None:
    rows = _events(2_000)
    appended = _appended(rows)
    ways = [_way(row, int(appended[row["ordinal"]])) for row in rows]
    found = _found(tmp_path, rows, appended)
    for step, own in found.steps.items():
        ordered = np.sort([way[step] for way in ways]) / 1e6
        assert (own.count, own.negative) == (2_000, 0)
        assert [own.p50, own.p99, own.p999] == pytest.approx(ordered[[999, 1_979, 1_997]].tolist(), rel=2e-3, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=400))
def test_windows_hold_their_quantile_and_never_reach_the_ends_of_many(values: list[int]) -> None:
    ordered = sorted(values)
    for window in windows_of(np.sort(np.array(values, dtype=np.int64))).values():
        rank = max(0, math.floor(window.quantile * len(values) + 0.5) - 1)
        assert window.response == ordered[rank]
        assert window.low <= window.response <= window.high
        assert window.high == window.response or rank < len(values) - 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=400))
def test_a_windows_quantile_is_the_histograms(values: list[int]) -> None:
    array = np.array(values, dtype=np.int64)
    histogram = new_histogram()
    record(histogram, array)
    for window in windows_of(np.sort(array)).values():
        expected = histogram.get_value_at_percentile(100 * window.quantile)
        assert window.response == pytest.approx(expected, rel=1.1e-3)


def test_the_warm_up_is_not_in_it(tmp_path: Path) -> None:
    rows = _events(200)
    slow = {**rows[0], "measured": False, "response_ns": TIMEOUT_NS}
    assert _found(tmp_path, [slow, *rows[1:]]).events == 199


def test_a_scorer_that_stamps_nothing_has_one_step_there_and_back(tmp_path: Path) -> None:
    kept = ("ordinal", "intended_ns", "sent_ns", "received_ns", "response_ns")
    rows = [{key: row[key] for key in kept} for row in _events(500)]
    assert list(_found(tmp_path, rows).at["p99"].parts) == ["sent", "answered"]
    # half a millisecond into the broker, whatever came after
    appended = np.array([row["sent_ns"] + MS // 2 for row in rows], dtype=np.int64)
    found = _found(tmp_path, rows, appended)
    assert list(found.at["p99"].parts) == list(found.steps) == ["sent", "broker", "answered"]
    assert found.steps["broker"].p50 == pytest.approx(1.0, rel=2e-3)
    assert sum(found.at["p99"].parts.values()) == pytest.approx(found.at["p99"].response, abs=1e-4)


def test_a_scorer_without_stages_has_its_service_time_in_one_step(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if not key.startswith("stage_")} for row in _events(500)]
    assert list(_found(tmp_path, rows).at["p50"].parts) == ["sent", "taken", "emitted", "received"]


def test_when_all_are_lost_the_ceiling_is_all_there_is(tmp_path: Path) -> None:
    rows = _events(300, lost=300)
    found = _found(tmp_path, rows, np.zeros(300, dtype=np.int64))
    assert list(found.steps) == ["sent"]
    parts = found.at["p99"].parts
    assert list(parts) == ["sent", "lost"]
    assert sum(parts.values()) == pytest.approx(TIMEOUT_NS / 1e6)


def test_an_empty_run_has_none(tmp_path: Path) -> None:
    assert _measure(tmp_path, []) is None


def test_one_event_is_all_three_quantiles(tmp_path: Path) -> None:
    found = _found(tmp_path, _events(1))
    assert {made.events for made in found.at.values()} == {1}
    assert len({made.response for made in found.at.values()}) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"taken_ns": 1},
        {"emitted_ns": 2**62},
        {"taken_ns": 2**62, "emitted_ns": 2**62 + 5},
        {"stage_model_ns": 2**62},
        {"stage_model_ns": 2**62, "stage_rules_ns": 2**62},
        {"stage_rules_ns": -5},
    ],
    ids=["taken before it was due", "emitted after receipt", "another clock", "stage too long", "two", "negative"],
)
def test_stamps_that_cannot_be_true_are_counted_and_not_used(tmp_path: Path, wrong: Row) -> None:
    rows = [{**row, **wrong} if row["ordinal"] % 2 else row for row in _events(400)]
    found = _found(tmp_path, rows)
    assert found.contradicting == 200
    assert found.steps["answered"].count == found.steps["taken"].count == 200
    for made in found.at.values():
        assert sum(made.parts.values()) == pytest.approx(made.response, abs=1e-4)
        assert all(part >= 0 for part in made.parts.values())


def test_a_message_taken_before_its_sending_returned_is_counted_as_negative(tmp_path: Path) -> None:
    """The instant of sending is read once more when the producer has it: a scorer can be quicker than that."""
    rows = _events(100)
    rows[7] |= {"sent_ns": rows[7]["taken_ns"] + 1_000}
    found = _found(tmp_path, rows)
    assert (found.steps["taken"].count, found.steps["taken"].negative) == (99, 1)


def test_a_brokers_clock_that_is_not_ours_is_not_believed(tmp_path: Path) -> None:
    rows = _events(400)
    found = _found(tmp_path, rows, _appended(rows) + 60_000 * MS)
    assert "broker" not in found.steps
    assert found.at["p99"].parts == _found(tmp_path, rows).at["p99"].parts


def test_every_third_append_time_is_enough_for_the_brokers_share(tmp_path: Path) -> None:
    rows = _events(6_000)
    whole = _appended(rows)
    some = np.where(np.arange(6_000) % 3 == 0, whole, 0)
    all_, third = (_found(tmp_path, rows, appended) for appended in (whole, some))
    assert third.steps["broker"].count == third.steps["taken"].count == 2_000
    assert third.at["p50"].parts["broker"] == pytest.approx(all_.at["p50"].parts["broker"], rel=0.2)
    assert sum(third.at["p50"].parts.values()) == pytest.approx(third.at["p50"].response, abs=1e-4)


def test_every_stage_of_a_decision_is_a_step() -> None:
    assert set(STAGES) == set(STAGE_COLUMNS)
