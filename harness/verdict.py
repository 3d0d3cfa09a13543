"""Pass, fail or invalid, with every reason in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.aml.results import AmlResults
from harness.latency_results import LatencyResults
from harness.results import Counts, FaultResults, LoadResults, SteadyResults, Verdict
from harness.scenario import Slo

ACHIEVED_SHARE_MIN = 0.99
SCHEDULE_DELAY_SHARE_MAX = 0.05
"""Of the response SLO: above it, the harness's own lateness would be a noticeable part of what is judged."""

QUALITY_LIMITS = {
    "pattern_recall_min": "pattern recall",
    "precision_at_k_min": "precision@K",
    "lift_at_k_min": "lift@K",
    "pr_auc_min": "PR-AUC",
    "psi_max": "PSI of a market",
}
"""Targets of a money-laundering monitor in `slo`, in words."""

EXIT_CODES = {"pass": 0, "fail": 1, "invalid": 3}


@dataclass(frozen=True, slots=True)
class Judged:
    """What a verdict is made from. With faults, `latency_ms` and `steady` are of the stream outside of them."""

    slo: Slo
    load: LoadResults
    counts: Counts
    latency_ms: LatencyResults
    quality: Mapping[str, Any]
    drift: Mapping[str, Any]
    faults: Sequence[FaultResults] = ()
    steady: SteadyResults | None = None
    aml: AmlResults | None = None


def _validity(run: Judged) -> list[str]:
    reasons = []
    load, counts = run.load, run.counts
    if load.achieved_per_s < ACHIEVED_SHARE_MIN * load.scheduled_per_s:
        reasons.append(
            f"achieved {load.achieved_per_s:,.1f} events/s, less than {ACHIEVED_SHARE_MIN:.0%} of the scheduled "
            f"{load.scheduled_per_s:,.1f}/s"
        )
    bound_ms = SCHEDULE_DELAY_SHARE_MAX * run.slo.response_p99_ms
    delay = load.schedule_delay_ms.p99
    if delay is not None and delay > bound_ms:
        reasons.append(
            f"schedule delay P99 {delay:,.2f} ms exceeds {bound_ms:,.2f} ms "
            f"({SCHEDULE_DELAY_SHARE_MAX:.0%} of the response SLO): the load was not sent on time"
        )
    if not run.faults:
        reasons += _missing(counts)
    if counts.sent != counts.decided + counts.lost:
        reasons.append(f"sent {counts.sent:,} is not decided {counts.decided:,} + lost {counts.lost:,}")
    reasons += _too_short(run.latency_ms)
    if run.latency_ms.negative:
        reasons.append(f"{run.latency_ms.negative:,} negative latencies: the clocks do not agree")
    if run.latency_ms.overflow:
        reasons.append(f"{run.latency_ms.overflow:,} latencies of more than a day: a clock is wrong")
    return reasons


def _missing(counts: Counts) -> list[str]:
    """Without a fault nobody knows whether scorer, broker or instrument lost them; with one they are its price."""
    reasons, missing = [], counts.lost - counts.refused
    if missing > 0:
        reasons.append(f"{missing:,} of {counts.sent:,} events never came back")
    if counts.undelivered:
        reasons.append(f"{counts.undelivered:,} messages were not taken by the broker")
    return reasons


def _of_faults(run: Judged) -> list[str]:
    """What the faults' own expectations found, and what was lost under them."""
    reasons = [
        f"fault {fault.kind} at {fault.injected_at}: {reason}" for fault in run.faults for reason in fault.reasons
    ]
    return (_missing(run.counts) if run.faults else []) + reasons


def _too_short(latency: LatencyResults) -> list[str]:
    """A P99 within its limit on too few samples to show it says nothing."""
    tail, p99 = latency.tail, latency.response.p99
    if tail is None or tail.finding != "undecided" or p99 is None or p99 > tail.limit_ms:
        return []
    return [
        f"response P99 ≤ {tail.limit_ms:,g} ms cannot be shown at {tail.confidence:.0%} confidence: {tail.over:,} of "
        f"{tail.samples:,} responses took longer, and with so many over at least {tail.needed:,} are needed"
    ]


def contract_problems(counts: Counts) -> list[str]:
    """Answers that are not what was asked for: refused, twice, late, unreadable, unexplained."""
    found = {
        "events were refused by the scorer (dead-lettered)": counts.refused,
        "events were decided more than once": counts.duplicated,
        "events were decided after the time-out": counts.late,
        "decisions were for events nobody sent": counts.unknown,
        "decisions could not be read": counts.malformed,
        "decisions that were to be explained never were": counts.explanations_missing or 0,
        "explanations were for events nobody sent": counts.explanations_unknown,
        "explanations could not be read": counts.explanations_malformed,
    }
    return [f"{count:,} {what}" for what, count in found.items() if count]


def _at_most(name: str, value: float | None, limit: float | None, unit: str = "") -> list[str]:
    if limit is None:
        return []
    if value is None:
        return [f"{name} could not be measured (limit {limit:g}{unit})"]
    return [f"{name} {value:,.4g}{unit} exceeds {limit:,g}{unit}"] if value > limit else []


def _at_least(name: str, value: float | None, limit: float | None) -> list[str]:
    if limit is None:
        return []
    if value is None:
        return [f"{name} could not be measured (at least {limit:g} wanted)"]
    return [f"{name} {value:.4g} is below {limit:g}"] if value < limit else []


def _slow_tail(latency: LatencyResults, limit_ms: float) -> list[str]:
    """Broken by the binomial test, or by the P99 itself."""
    found, tail = _at_most("response P99", latency.response.p99, limit_ms, " ms"), latency.tail
    if not found and tail is not None and tail.finding == "broken":
        found = [f"response P99 exceeds {limit_ms:,g} ms: {tail.over:,} of {tail.samples:,} responses took longer"]
    return found


def quality_problems(run: Judged) -> list[str]:
    """Limits of the SLO that are not of time: ranking, recall, false alarms, drift of the score, fallbacks."""
    slo, quality = run.slo, run.quality
    fallback_share = run.counts.by_path.fallback / run.counts.decided if run.counts.decided else None
    if run.steady is not None:
        fallback_share = run.steady.fallback_share
    return [
        *_at_least("precision@K", quality.get("precision_at_k"), slo.precision_at_k_min),
        *_at_least("recall", quality.get("recall"), slo.recall_min),
        *_at_least("PR-AUC", quality.get("pr_auc"), slo.pr_auc_min),
        *_at_most("false-positive rate", quality.get("false_positive_rate"), slo.false_positive_rate_max),
        *_at_most("PSI of the score", run.drift.get("psi_score"), slo.psi_score_max),
        *_at_most("share of fallback decisions", fallback_share, slo.fallback_share_max),
        *(_of_monitoring(run, run.aml) if run.aml is not None else []),
    ]


def _of_monitoring(run: Judged, aml: AmlResults) -> list[str]:
    """Limits that only money laundering has. Precision@K and PR-AUC are judged above: there, of customers."""
    slo, quality = run.slo, run.quality
    where = f"pattern recall at K = {quality.get('k_share', 0.0):.0%} of customers"
    worst = max(
        (name for name, row in aml.psi_by_market.items() if row.value is not None and row.value == aml.psi_max),
        default="any market",
    )
    return [
        *_at_least(where, quality.get("pattern_recall"), slo.pattern_recall_min),
        *_at_least("lift@K", quality.get("lift_at_k"), slo.lift_at_k_min),
        *_at_most(f"PSI of the scores of {worst}", aml.psi_max, slo.psi_max),
    ]


def _limits(run: Judged) -> list[str]:
    slo, response = run.slo, run.latency_ms.response
    return [
        *_slow_tail(run.latency_ms, slo.response_p99_ms),
        *_at_most("response P99.9", response.p999, slo.response_p999_ms, " ms"),
        *quality_problems(run),
    ]


def not_judged(slo: Mapping[str, float | None]) -> list[str]:
    """What is measured of a money-laundering monitor but has no target, in words."""
    return [words for key, words in QUALITY_LIMITS.items() if slo.get(key) is None]


def judge(run: Judged) -> Verdict:
    """Invalid beats fail beats pass; an invalid run still lists the limits it broke."""
    invalid, failed = _validity(run), [*contract_problems(run.counts), *_of_faults(run), *_limits(run)]
    if invalid:
        return Verdict(status="invalid", reasons=invalid + failed)
    if failed:
        return Verdict(status="fail", reasons=failed)
    return Verdict(status="pass", reasons=[])
