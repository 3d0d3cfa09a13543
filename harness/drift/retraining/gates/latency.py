"""Latency: the candidate takes no longer than the champion, both timed in turn in one process."""

from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.settings import AnswerSettings

NAME = "latency"


def latency(champion_us: float, candidate_us: float, rows: int, now_ns: int, settings: AnswerSettings) -> GateResult:
    """Medians (µs) of a call with `rows` rows."""
    ratio = candidate_us / champion_us
    evidence = {
        "champion_us": champion_us,
        "candidate_us": candidate_us,
        "rows": rows,
        "ratio": ratio,
        "ratio_max": settings.latency_ratio_max,
    }
    why = f"{ratio:.2f} times the champion's time, at most {settings.latency_ratio_max:g} allowed"
    return GateResult(
        gate=NAME, passed=ratio <= settings.latency_ratio_max, event_time_ns=now_ns, why=why, evidence=evidence
    )
