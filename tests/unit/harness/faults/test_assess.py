"""From what a stream left behind to what faults are measured by, and the verdict on a run that had some."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.faults.assess import breaker_changes, hypothesis_of, repetitions, rises
from harness.results import Counts, PathCounts
from harness.scenario import load_scenario
from harness.verdict import Judged, judge
from tests.unit.harness.faults.made import START, S, at, sample
from tests.unit.harness.faults.results_of import STEADY, fault
from tests.unit.harness.test_verdict import COUNTS, LATENCY, LOAD


def test_breakers_of_all_workers_are_told_in_order_of_time() -> None:
    def moved(at_s: float, before: str, after: str) -> dict[str, Any]:
        return {"at_ns": at(at_s), "from": before, "to": after, "cause": "x"}

    summaries: list[dict[str, Any]] = [
        {"worker": "worker-2", "breaker": {"transitions": [moved(9.0, "closed", "open")]}},
        {"worker": "nightly"},
        {
            "worker": "worker-1",
            "breaker": {"transitions": [moved(3.0, "closed", "open"), moved(12.0, "open", "closed")]},
        },
    ]
    found = [(change.worker, (change.at_ns - START) // S, change.to) for change in breaker_changes(summaries)]
    assert found == [("worker-1", 3, "open"), ("worker-2", 9, "open"), ("worker-1", 12, "closed")]


def test_refusals_are_seen_when_their_count_rises() -> None:
    samples = [sample(1, dead_lettered=0), sample(2, dead_lettered=4), sample(3, dead_lettered=4), sample(4, 0, 5)]
    assert rises(samples, "dead_lettered") == [at(2), at(4)]
    assert rises([], "dead_lettered") == []


def test_repetitions_are_those_of_decisions(tmp_path: Path) -> None:
    records = [
        {"kind": "decision", "received_ns": 1},
        {"kind": "duplicate", "received_ns": 2},
        {"kind": "explanation_duplicate", "seq": 3},
        {"kind": "malformed", "begins": '"duplicate"', "received_ns": 4},
        {"kind": "duplicate", "received_ns": 5},
    ]
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert repetitions(path) == [2, 5]
    assert repetitions(tmp_path / "none") == []


def test_the_hypothesis_takes_the_slo_s_limit_unless_it_has_its_own() -> None:
    assert hypothesis_of(load_scenario("fraud", {"slo.response_p99_ms": 250.0})).limit_ms == 250.0
    own = load_scenario("fraud", {"steady": {"response_p99_ms": 40.0, "fallback_share_max": 0.2, "hold_s": 3.0}})
    found = hypothesis_of(own)
    assert (found.limit_ms, found.fallback_share_max, found.hold_s) == (40.0, 0.2, 3.0)


def judged(faults: list[Any], slo: dict[str, Any] | None = None, **counts: Any) -> Any:
    scenario = load_scenario("fraud", {f"slo.{name}": value for name, value in (slo or {}).items()})
    changed: Counts = msgspec.structs.replace(COUNTS, **counts)
    return judge(Judged(scenario.slo, LOAD, changed, LATENCY, {}, {}, faults, STEADY if faults else None))


def test_a_run_whose_faults_were_survived_passes() -> None:
    assert judged([fault()]).status == "pass"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lost": 3, "decided": 97}, "3 of 100 events never came back"),
        ({"undelivered": 2}, "2 messages were not taken by the broker"),
        ({"duplicated": 1}, "1 events were decided more than once"),
    ],
)
def test_what_is_lost_under_a_fault_is_a_failure_and_not_an_invalid_run(changes: dict[str, Any], words: str) -> None:
    found = judged([fault()], **changes)
    assert found.status == "fail"
    assert any(words in reason for reason in found.reasons)
    if "duplicated" not in changes:
        assert judged([], **changes).status == "invalid"


def test_a_fault_s_own_expectations_fail_the_run() -> None:
    found = judged([fault(), fault(kind="model-nan", status="fail", reasons=["the breaker did not open"])])
    assert (found.status, found.reasons) == ("fail", ["fault model-nan at 15.002 s: the breaker did not open"])


def test_fallbacks_within_a_fault_do_not_count_against_the_limit() -> None:
    paths = PathCounts(rules=0, model=20, fallback=80)
    assert judged([fault()], {"fallback_share_max": 0.1}, by_path=paths).status == "pass"
    assert judged([], {"fallback_share_max": 0.1}, by_path=paths).status == "fail"
