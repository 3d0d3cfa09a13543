"""Invalid beats fail beats pass, and every reason is said."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from harness.aml.recall import pattern_recall
from harness.aml.results import AmlResults, Detection, MarketStability, Spread, Worklists
from harness.aml.truth import NEVER
from harness.latency_results import Distribution, LatencyResults, TailResults
from harness.results import Counts, LoadResults, PathCounts, ScheduleDelay, Verdict
from harness.scenario import Slo
from harness.tail import tail_of
from harness.verdict import Judged, judge
from tests.unit.harness.aml.made import small_truth

DISTRIBUTION = Distribution(count=100, p50=5.0, p90=8.0, p99=20.0, p999=30.0, max=40.0)
LOAD = LoadResults(
    process="constant",
    target_per_s=100.0,
    scheduled_per_s=100.0,
    achieved_per_s=100.0,
    schedule_delay_ms=ScheduleDelay(p50=0.01, p99=0.5, max=3.0),
    duration_s=1.0,
    warmup_s=0.0,
    partitions=4,
    events_from=None,
    events_until=None,
)
COUNTS = Counts(
    sent=100,
    decided=100,
    lost=0,
    late=0,
    duplicated=0,
    unknown=0,
    malformed=0,
    dead_lettered=0,
    undelivered=0,
    warmup=0,
    side_messages=0,
    by_path=PathCounts(rules=20, model=80, fallback=0),
)
LATENCY = LatencyResults(
    response=DISTRIBUTION,
    service=DISTRIBUTION,
    schedule_delay=DISTRIBUTION,
    floor=None,
    by_path={},
    stages={},
    negative=0,
    overflow=0,
)


def _judge(
    slo: Slo | None = None, load: Any = None, counts: Any = None, latency: Any = None, **quality: Any
) -> Verdict:
    return judge(
        Judged(
            slo or Slo(),
            replace(LOAD, **(load or {})),
            replace(COUNTS, **(counts or {})),
            replace(LATENCY, **(latency or {})),
            quality,
            {"psi_score": quality.get("psi")},
        )
    )


def test_all_well_is_a_pass() -> None:
    assert _judge() == Verdict(status="pass", reasons=[])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"load": {"achieved_per_s": 98.9}}, "achieved 98.9 events/s"),
        (
            {"load": {"schedule_delay_ms": ScheduleDelay(p50=1, p99=50.1, max=60)}},
            "schedule delay P99 50.10 ms exceeds 50.00 ms",
        ),
        ({"counts": {"lost": 3, "decided": 97}}, "3 of 100 events never came back"),
        ({"counts": {"decided": 99}}, "is not decided 99 + lost 0"),
        ({"counts": {"undelivered": 1}}, "not taken by the broker"),
        ({"latency": {"negative": 2}}, "2 negative latencies"),
        ({"latency": {"overflow": 3}}, "3 latencies of more than a day"),
    ],
)
def test_invalid(changes: dict[str, Any], words: str) -> None:
    verdict = _judge(**changes)
    assert verdict.status == "invalid"
    assert any(words in reason for reason in verdict.reasons)


def test_just_enough_is_valid() -> None:
    assert _judge(load={"achieved_per_s": 99.0}).status == "pass"
    assert _judge(load={"schedule_delay_ms": ScheduleDelay(p50=1, p99=50.0, max=900)}).status == "pass"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slo": Slo(response_p99_ms=19.0), "load": {}}, "response P99 20 ms exceeds 19 ms"),
        ({"slo": Slo(response_p999_ms=29.0)}, "response P99.9 30 ms exceeds 29 ms"),
        ({"slo": Slo(precision_at_k_min=0.3), "precision_at_k": 0.2}, "precision@K 0.2 is below 0.3"),
        ({"slo": Slo(recall_min=0.3)}, "recall could not be measured"),
        ({"slo": Slo(pr_auc_min=0.3), "pr_auc": 0.1}, "PR-AUC 0.1 is below 0.3"),
        (
            {"slo": Slo(false_positive_rate_max=0.01), "false_positive_rate": 0.02},
            "false-positive rate 0.02 exceeds 0.01",
        ),
        ({"slo": Slo(psi_score_max=0.25), "psi": 0.4}, "PSI of the score 0.4 exceeds 0.25"),
        (
            {"slo": Slo(fallback_share_max=0.1), "counts": {"by_path": PathCounts(rules=0, model=80, fallback=20)}},
            "fallback",
        ),
        ({"counts": {"duplicated": 1}}, "1 events were decided more than once"),
        ({"counts": {"late": 2}}, "2 events were decided after the time-out"),
        ({"counts": {"unknown": 2}}, "for events nobody sent"),
        ({"counts": {"malformed": 2}}, "could not be read"),
        ({"counts": {"dead_lettered": 2, "lost": 2, "decided": 98}}, "dead-lettered"),
    ],
)
def test_fail(changes: dict[str, Any], words: str) -> None:
    verdict = _judge(**changes)
    assert verdict.status == "fail", verdict
    assert any(words in reason for reason in verdict.reasons)


def test_an_invalid_run_still_lists_the_limits_it_broke() -> None:
    verdict = _judge(slo=Slo(response_p999_ms=1.0), counts={"lost": 1, "decided": 99})
    assert verdict.status == "invalid"
    assert len(verdict.reasons) == 2


def tail(samples: int, over: int) -> TailResults:
    """Of so many responses, so many took 2 s and the rest 1 ms; the limit is 1 s."""
    times = np.full(samples, 1_000_000)
    times[:over] = 2_000_000_000
    return TailResults(**asdict(tail_of(times, 1_000.0)))


@pytest.mark.parametrize(
    ("samples", "over", "status"),
    [(459, 0, "pass"), (458, 0, "invalid"), (2_010, 10, "pass"), (2_009, 10, "invalid"), (1_000, 30, "fail")],
)
def test_the_p99_is_decided_by_the_binomial_test(samples: int, over: int, status: str) -> None:
    found = _judge(latency={"tail": tail(samples, over)})
    assert found.status == status
    if status == "invalid":
        assert f"{over:,} of {samples:,} responses took longer" in found.reasons[0]
    if status == "fail":
        assert found.reasons == ["response P99 exceeds 1,000 ms: 30 of 1,000 responses took longer"]


def test_a_p99_over_its_limit_fails_however_few_the_samples() -> None:
    slow = Distribution(count=50, p50=5.0, p90=8.0, p99=1_200.0, p999=1_300.0, max=1_400.0)
    found = _judge(latency={"tail": tail(50, 1), "response": slow})
    assert found.status == "fail"


AML = AmlResults(
    customers=100,
    suspicious=5,
    patterns=4,
    members=6,
    members_unseen=0,
    customers_excluded=0,
    patterns_excluded=0,
    patterns_only_begun=0,
    scores=50,
    scores_unknown=0,
    worklists=Worklists(
        k=3,
        listed=3,
        found=1,
        precision=Spread(value=0.3, low=0.1, high=0.6),
        precision_ceiling=1.0,
        lift=Spread(value=4.0, low=2.0, high=7.0),
        recall=pattern_recall(small_truth(), np.full(7, NEVER)),
        days=[],
    ),
    budgets=[],
    time_to_detect=Detection(
        patterns=4, found=3, p50_h=9.0, p90_h=None, found_mean_h=8.0, while_active=0.5, within_days={}
    ),
    psi_by_market={
        "BE": MarketStability(value=0.02, threshold=0.05, status="stable", scores=900),
        "NL": MarketStability(value=0.3, threshold=0.05, status="drift", scores=800),
    },
    psi_max=0.3,
)


@pytest.mark.parametrize(
    ("slo", "words"),
    [
        (
            Slo(pattern_recall_min=0.95, k_share=0.1),
            "pattern recall at K = 10% of customers 0.9 is below 0.95",
        ),
        (Slo(lift_at_k_min=5.0), "lift@K 4 is below 5"),
        (Slo(psi_max=0.1), "PSI of the scores of NL 0.3 exceeds 0.1"),
        (Slo(precision_at_k_min=0.5), "precision@K 0.3 is below 0.5"),
        (Slo(pattern_recall_min=0.85, lift_at_k_min=3.0, psi_max=0.4), None),
    ],
)
def test_limits_of_money_laundering(slo: Slo, words: str | None) -> None:
    quality = {"k_share": 0.1, "pattern_recall": 0.9, "lift_at_k": 4.0, "precision_at_k": 0.3}
    verdict = judge(Judged(slo, LOAD, COUNTS, LATENCY, quality, {"psi_score": None}, aml=AML))
    assert verdict.reasons == ([] if words is None else [words])


def test_what_could_not_be_measured_breaks_its_limit() -> None:
    nothing = replace(AML, psi_max=None, psi_by_market={})
    verdict = judge(Judged(Slo(psi_max=0.1), LOAD, COUNTS, LATENCY, {}, {"psi_score": None}, aml=nothing))
    assert verdict.reasons == ["PSI of the scores of any market could not be measured (limit 0.1)"]
