import json

from harness.capacity.findings import content, limited_by, sentences, settled
from harness.capacity.search import Capacity
from harness.slo_option import LatencyLimit
from tests.example_capacity import point

LIMIT = LatencyLimit(0.99, 50.0)
FOUND = Capacity(1_000.0, 1_410.0, runs=2, runs_held=2, complete=True)


def test_the_answer_and_why_it_is_not_higher() -> None:
    points = [point(1_000.0), point(1_410.0, "too slow"), point(1_410.0, "the backlog grew"), point(1_000.0)]
    first, second = sentences(FOUND, points, LIMIT)
    assert first == "Capacity: 1,000 events/s with P99 ≤ 50 ms (held in 2 of 2 runs)."
    assert second == "Not held: 1,410 events/s: the backlog grew."
    found = content(FOUND, points, LIMIT, {"engine": "native"})
    assert (found["at_least"], found["limited_by"]) == (False, "scorer")
    assert [row["rate_per_s"] for row in found["curve"]] == [1_000.0, 1_000.0, 1_410.0, 1_410.0]
    assert json.loads(json.dumps(found)) == {**found, "curve": json.loads(json.dumps(found["curve"]))}


def test_a_limit_of_the_harness_makes_it_a_lower_bound() -> None:
    points = [point(1_000.0), point(1_410.0, "too slow"), point(1_410.0, "not sent", limited_by="harness")]
    assert limited_by(FOUND, points) == "harness"
    assert [each.limited_by for each in settled(points)] == [None, "harness", "harness"]
    words = sentences(FOUND, points, LIMIT)
    assert "at least 1,000" in words[0]
    assert "Load and broker, not the scorer" in words[2]
    assert content(FOUND, points, LIMIT, {})["at_least"]


def test_failures_elsewhere_do_not_matter() -> None:
    points = [point(1_410.0, "too slow"), point(2_000.0, "not sent", limited_by="harness")]
    assert limited_by(FOUND, points) == "scorer"


def test_nothing_above_was_tried() -> None:
    found = Capacity(4_000.0, None, runs=2, runs_held=2, complete=True)
    (words,) = sentences(found, [point(4_000.0)], LIMIT)
    assert (
        words == "Capacity: at least 4,000 events/s with P99 ≤ 50 ms (held in 2 of 2 runs; the highest rate allowed)."
    )
    assert content(found, [point(4_000.0)], LIMIT, {})["at_least"]


def test_nothing_held() -> None:
    found = Capacity(None, 25.0, runs=0, runs_held=0, complete=True)
    words = sentences(found, [point(25.0, "too slow")], LIMIT)
    assert words[0] == "No rate was held with P99 ≤ 50 ms."
    assert not content(found, [point(25.0, "too slow")], LIMIT, {})["at_least"]


def test_a_stopped_search_says_so() -> None:
    found = Capacity(500.0, None, runs=1, runs_held=1, complete=False)
    words = sentences(found, [point(500.0)], LIMIT)
    assert "stopped before its end" in words[0]
    assert "highest rate allowed" not in words[1]
