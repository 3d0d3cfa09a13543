"""The four questions and their answers: fast, right, stable, safe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.report.contents import RunContents
from harness.report.table import Tone
from harness.report.words import DASH, count, interval, ms, rate, score, share, significant, spoken


@dataclass(frozen=True, slots=True)
class Answer:
    """One card at the top: the question, the figure that answers it, and a few more that stand behind it."""

    question: str
    measure: str
    figure: str
    against: str
    tone: Tone
    verdict: str
    facts: tuple[tuple[str, str], ...]
    anchor: str


def answers(run: RunContents) -> list[Answer]:
    """Fast, right, stable, safe, in this order."""
    return [_fast(run), _right(run), _stable(run), _safe(run)]


def _fast(run: RunContents) -> Answer:
    p99, limit = run.get("latency_ms", "response", "p99"), run.get("slo", "response_p99_ms")
    achieved, target = run.get("load", "achieved_per_s"), run.get("load", "target_per_s")
    tone: Tone = "quiet" if p99 is None or limit is None else "good" if p99 <= limit else "bad"
    facts = (
        ("Throughput", f"{rate(achieved)} of {rate(target)}"),
        (
            "P50 · P99.9",
            f"{ms(run.get('latency_ms', 'response', 'p50'))} · {ms(run.get('latency_ms', 'response', 'p999'))}",
        ),
        ("Service P99", ms(run.get("latency_ms", "service", "p99"))),
        ("Floor P99", ms(run.get("latency_ms", "floor", "response", "p99"))),
    )
    against = f"SLO {ms(limit)}" if limit else "no SLO set"
    return Answer(
        "Fast?", "Response P99", ms(p99), against, tone, _word(tone, "within the SLO", "over the SLO"), facts, "fast"
    )


def _right(run: RunContents) -> Answer:
    quality = run.get("quality") or {}
    if run.get("aml"):
        return _found(run, quality)
    reached, ceiling = quality.get("precision_at_k"), quality.get("precision_at_k_ceiling")
    wanted = run.get("slo", "precision_at_k_min")
    tone: Tone = "quiet" if reached is None or wanted is None else "good" if reached >= wanted else "bad"
    intervals = quality.get("intervals") or {}
    facts = (
        ("95% interval", interval(intervals.get("precision_at_k") or {}, "", score)),
        ("PR-AUC", f"{score(quality.get('pr_auc'))}{_sure(intervals.get('pr_auc'), score)}"),
        ("Recall", f"{share(quality.get('recall'))}{_sure(intervals.get('recall'), share)}"),
        ("False positives", f"{share(quality.get('false_positive_rate'), 2)} of genuine events"),
        ("Lift", DASH if quality.get("lift_at_k") is None else f"{significant(quality['lift_at_k'])} ×"),
    )
    verdict = _word(tone, f"at least {score(wanted)}, as asked", f"below {score(wanted)}")
    measure = f"Card precision@{quality.get('k') or 'K'}"
    return Answer("Right?", measure, score(reached), f"ceiling {score(ceiling)}", tone, verdict, facts, "right")


def _found(run: RunContents, quality: Mapping[str, Any]) -> Answer:
    """Money laundering: how many patterns are found at the budget that is judged."""
    reached, wanted = quality.get("pattern_recall"), run.get("slo", "pattern_recall_min")
    tone: Tone = "quiet" if reached is None or wanted is None else "good" if reached >= wanted else "bad"
    intervals = quality.get("intervals") or {}
    facts = (
        ("95% interval", interval(intervals.get("pattern_recall") or {}, "", share)),
        (
            f"Precision@{quality.get('k')} a day",
            f"{score(quality.get('precision_at_k'))} of at most {score(quality.get('precision_at_k_ceiling'))}",
        ),
        ("Lift", DASH if quality.get("lift_at_k") is None else f"{significant(quality['lift_at_k'])} ×"),
        ("PR-AUC", f"{score(quality.get('pr_auc'))}{_sure(intervals.get('pr_auc'), score)}"),
        ("Largest PSI of a market", score(run.get("aml", "psi_max"))),
    )
    verdict = _word(tone, f"at least {share(wanted)}, as asked", f"below {share(wanted)}")
    measure = f"Patterns found at {share(quality.get('k_share'), 0)} of customers"
    against = f"of {count(quality.get('patterns'))}"
    return Answer("Right?", measure, share(reached), against, tone, verdict, facts, "right")


def _sure(edges: Mapping[str, Any] | None, spoken_as: Callable[[float | None], str]) -> str:
    """A figure's interval in brackets; nothing where it is not known."""
    return f" ({interval(edges, '', spoken_as)})" if edges and edges.get("low") is not None else ""


def _stable(run: RunContents) -> Answer:
    drift = run.get("drift") or {}
    status = drift.get("status") or "unknown"
    tones: dict[str, Tone] = {"stable": "good", "watch": "watch", "drift": "bad"}
    found = [row for row in drift.get("detections") or [] if row["kind"] != "monitor"]
    moved = sum(row["kind"] == "feature" for row in found)
    facts = (
        ("Features moved", f"{moved} of {len(drift.get('csi') or {})}" if drift.get("csi") else DASH),
        ("Largest", f"{spoken(found[0]['name'])}, {significant(found[0]['value'])}" if found else DASH),
        ("PSI of paths", significant(drift.get("psi_paths"))),
        ("Events compared", count(drift.get("events"))),
    )
    words = {"stable": "stable", "watch": "to be watched", "drift": "drifted", "unknown": "not enough to judge"}
    value = drift.get("psi_score")
    figure = DASH if value is None else f"{value:.3f}"
    limits = f"watch {drift.get('psi_warning', 0.1):g}, drift {drift.get('psi_alarm', 0.25):g}"
    return Answer(
        "Stable?",
        "PSI of the score",
        figure,
        limits,
        tones.get(status, "quiet"),
        words.get(status, status),
        facts,
        "stable",
    )


def _safe(run: RunContents) -> Answer:
    counts = run.get("counts") or {}
    lost, duplicated = counts.get("lost"), counts.get("duplicated")
    broken = sum(counts.get(key) or 0 for key in ("lost", "duplicated", "unknown", "malformed", "undelivered"))
    tone: Tone = "quiet" if lost is None else "bad" if broken else "good"
    opened = sum(1 for step in run.get("breaker", "transitions") or [] if step.get("to") == "open")
    facts = (
        ("Duplicated · late", f"{count(duplicated)} · {count(counts.get('late'))}"),
        ("Dead-lettered", count(counts.get("dead_lettered"))),
        ("Breaker opened", f"{opened} × ({ms(run.get('breaker', 'open_ms'))})"),
        ("Fallback decisions", count(run.get("breaker", "fallback_events"))),
    )
    verdict = _word(tone, "every event decided once", "not all decided once")
    return Answer(
        "Safe?", "Lost events", count(lost), f"of {count(counts.get('sent'))} sent", tone, verdict, facts, "safe"
    )


def _word(tone: Tone, good: str, bad: str) -> str:
    return {"good": good, "bad": bad}.get(tone, "no limit set")
