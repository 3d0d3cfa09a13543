"""Canary: where the candidate decides, it answers in time and alerts no more and no less than can be worked."""

from harness.drift.retraining.both import Both, alert_ratio
from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.settings import AnswerSettings

NAME = "canary"
EVENTS_MIN = 20


def canary(both: Both, now_ns: int, settings: AnswerSettings) -> GateResult:
    """`both`: what the candidate decided for the canary's cards, and the champion said beside."""
    champion, candidate = int(both.other_flagged.sum()), int(both.flagged.sum())
    ratio = alert_ratio(champion, candidate)
    fell_back = int(both.fell_back.sum())
    allowed = (1 - settings.answered_min) * max(len(both), 1)
    checks = {
        f"{len(both)} events": len(both) >= EVENTS_MIN,
        f"{fell_back} fell back": fell_back <= allowed,
        f"alerts {champion} → {candidate}": 1 / settings.alert_ratio_max <= ratio <= settings.alert_ratio_max,
    }
    evidence = {
        "events": len(both),
        "fell_back": fell_back,
        "alerts_champion": champion,
        "alerts_candidate": candidate,
        "alert_ratio_max": settings.alert_ratio_max,
        "share": settings.canary_share,
    }
    failed = [what for what, holds in checks.items() if not holds]
    why = ("too far off: " if failed else "") + ", ".join(failed or checks)
    return GateResult(gate=NAME, passed=not failed, event_time_ns=now_ns, why=why, evidence=evidence)
