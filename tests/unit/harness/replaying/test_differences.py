"""Two runs' decisions side by side: held against a slow comparison of every row."""

import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.replaying.decided import DECIDING, decisions_hash, read_decided
from harness.replaying.differences import Differences, Flow, find_differences
from tests.unit.harness.replaying.made import BAD, EVENTS, customer, event_id, lost, reason, row, write_run

ROWS = [row(n) for n in range(EVENTS)]


def differences(folder: Path, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Differences:
    runs = [write_run(folder / name, rows) for name, rows in (("before", before), ("after", after))]
    tables = [read_decided(run / "decisions.parquet") for run in runs]
    return find_differences(tables[0], tables[1], runs[0])


def with_row(ordinal: int, **changes: Any) -> list[dict[str, Any]]:
    return [each | changes if each["ordinal"] == ordinal else each for each in ROWS]


SCORES = st.sampled_from([None, 0.1, math.nextafter(0.1, 1.0), -0.0, 0.0])
REASONS = st.none() | st.lists(st.sampled_from([reason("A"), reason("B"), reason("A", 0.25)]), max_size=2)
CUSTOMERS = st.none() | st.lists(st.sampled_from([customer("x", 0.2), customer("y", 0.2)]), max_size=2)
DECIDED = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from([None, "approve", "review"]),
        "score": SCORES,
        "path": st.sampled_from([None, "rules", "model"]),
        "reasons": REASONS,
        "customers": CUSTOMERS,
    }
)
SIDES = st.lists(DECIDED, min_size=EVENTS, max_size=EVENTS)


def bits(value: Any) -> Any:
    return math.copysign(1.0, value), value if isinstance(value, float) else None


def by_hand(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    def same(name: str) -> bool:
        one, other = before[name], after[name]
        both_numbers = isinstance(one, float) and isinstance(other, float)
        return bits(one) == bits(other) if both_numbers else bool(one == other)

    return [name for name in DECIDING if not same(name)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(before=SIDES, after=SIDES)
def test_the_same_rows_as_a_comparison_by_hand(
    tmp_path_factory: pytest.TempPathFactory, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    sides = [[row(n, **decided) for n, decided in enumerate(side)] for side in (before, after)]
    folder = tmp_path_factory.mktemp("runs")
    found = differences(folder, sides[0], sides[1][::-1])
    by_ordinal = {n: by_hand(*pair) for n, pair in enumerate(zip(*sides, strict=True))}
    expected = {n: names for n, names in by_ordinal.items() if names}
    assert dict(zip(found.rows["ordinal"].to_pylist(), found.rows["differs"].to_pylist(), strict=True)) == expected
    hashes = {decisions_hash(read_decided(folder / name / "decisions.parquet")) for name in ("before", "after")}
    assert (len(hashes) == 1) == (not expected)


def test_equal_runs_differ_in_nothing(tmp_path: Path) -> None:
    found = differences(tmp_path, ROWS, ROWS[::-1])
    assert (found.compared, len(found.rows)) == (EVENTS, 0)
    assert found.by_part() == dict.fromkeys(DECIDING, 0)
    assert found.flows() == []
    assert found.score_change_max() is None
    assert found.foremost(5) == []


def test_both_sides_are_told(tmp_path: Path) -> None:
    found = differences(tmp_path, ROWS, with_row(BAD, outcome="block", score=0.9, reasons=[reason("R1")]))
    (only,) = found.rows.to_pylist()
    assert (only["event_id"], only["event_time_ns"], only["is_bad"]) == (event_id(BAD), 10 * BAD, True)
    assert only["differs"] == ["outcome", "score", "reasons"]
    assert (only["before_outcome"], only["after_outcome"]) == ("approve", "block")
    assert (only["before_score"], only["after_score"]) == (0.2, 0.9)
    assert [each["code"] for each in only["after_reasons"]] == ["R1"]
    assert found.score_change_max() == pytest.approx(0.7)
    assert found.flows() == [Flow(before="approve", after="block", events=1, bad=1)]


def test_an_event_that_was_never_decided_is_a_difference(tmp_path: Path) -> None:
    found = differences(tmp_path, ROWS, [*ROWS[:-1], lost(EVENTS - 1)])
    (only,) = found.rows.to_pylist()
    assert only["after_status"] == "lost"
    assert found.flows() == [Flow(before="approve", after=None, events=1, bad=0)]


def test_an_event_that_one_run_does_not_have_is_a_difference(tmp_path: Path) -> None:
    found = differences(tmp_path, ROWS[1:], ROWS)
    (only,) = found.rows.to_pylist()
    assert found.compared == EVENTS
    assert (only["event_id"], only["before_status"], only["after_status"]) == (event_id(0), None, "decided")


def test_without_labels_nothing_is_said_of_the_truth(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, rows) for name, rows in (("a", ROWS), ("b", with_row(1, outcome="review")))]
    (runs[0] / "labels.parquet").unlink()
    tables = [read_decided(run / "decisions.parquet") for run in runs]
    found = find_differences(tables[0], tables[1], runs[0])
    assert found.rows["is_bad"].to_pylist() == [None]
    assert found.flows() == [Flow(before="approve", after="review", events=1, bad=None)]


def test_another_outcome_comes_before_another_score(tmp_path: Path) -> None:
    after = [row(0, score=0.9), row(1, score=0.2), row(2), row(3, outcome="review"), *ROWS[4:]]
    found = differences(tmp_path, ROWS, after)
    assert [each["ordinal"] for each in found.foremost(2)] == [3, 0]
    assert len(found.foremost(10)) == 3


def test_the_table_can_be_written_and_read(tmp_path: Path) -> None:
    found = differences(tmp_path, ROWS, with_row(1, customers=[customer("x", 0.1)]))
    pq.write_table(found.rows, tmp_path / "d.parquet")
    assert pq.read_table(tmp_path / "d.parquet").to_pylist() == found.rows.to_pylist()
