"""Shadow: on live events the candidate answers, agrees with the champion by and large, and would not flood anybody."""

import numpy as np

from harness.drift.retraining.both import Both, alert_ratio
from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.settings import AnswerSettings

NAME = "shadow"


def shadow(both: Both, now_ns: int, settings: AnswerSettings, refused: str | None = None) -> GateResult:
    """`both`: what the champion decided and the candidate said beside; `refused`: why the scorer would not load it."""
    kept = ~np.isnan(both.other)
    champion, candidate = int(both.flagged[kept].sum()), int(both.other_flagged[kept].sum())
    ratio = alert_ratio(champion, candidate)
    agreement = _rank_correlation(both.score[kept], both.other[kept])
    checks = {
        f"{len(both)} events": len(both) >= settings.events_min,
        f"{both.answered:.1%} answered": both.answered >= settings.answered_min,
        f"rank correlation {agreement:.2f}": agreement >= settings.agreement_min,
        f"alerts {champion} → {candidate}": 1 / settings.alert_ratio_max <= ratio <= settings.alert_ratio_max,
    }
    evidence = {
        "events": len(both),
        "answered": both.answered,
        "agreement": agreement,
        "alerts_champion": champion,
        "alerts_candidate": candidate,
        "agreement_min": settings.agreement_min,
        "alert_ratio_max": settings.alert_ratio_max,
        "refused": refused,
    }
    failed = [what for what, holds in checks.items() if not holds]
    why = refused or ("too far off: " if failed else "") + ", ".join(failed or checks)
    passed = refused is None and not failed
    return GateResult(gate=NAME, passed=passed, event_time_ns=now_ns, why=why, evidence=evidence)


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's; 0 where either is all the same."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    from scipy.stats import rankdata  # noqa: PLC0415 - slow to import

    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])
