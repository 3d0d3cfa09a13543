"""Stability: on recent events the candidate's scores are spread much as the champion's, so that thresholds hold.

Bands of probability are compared, and not quantiles of the champion's scores: how the many events below a percent are
spread over a tenth or a thousandth of a percent decides nothing, and differs between any two calibrations.
"""

import numpy as np
import numpy.typing as npt

from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.settings import AnswerSettings
from streams.reference_bins import psi, shares

NAME = "stability"
BANDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Probabilities that thresholds lie between."""
Floats = npt.NDArray[np.float64]


def stability(champion: Floats, candidate: Floats, now_ns: int, settings: AnswerSettings) -> GateResult:
    """PSI of the candidate's scores (float64 [n]) against the champion's of the same events."""
    n = len(champion)
    if n < settings.events_min:
        why = f"{n} events that the model scored; at least {settings.events_min} are needed"
        return GateResult(gate=NAME, passed=False, event_time_ns=now_ns, why=why, evidence={"events": n})
    spread = [
        shares(np.bincount(np.searchsorted(BANDS, each), minlength=len(BANDS) + 1)) for each in (champion, candidate)
    ]
    found = psi(spread[0], spread[1])
    evidence = {
        "events": n,
        "psi": found,
        "psi_max": settings.psi_max,
        "bands": list(BANDS),
        "shares_champion": spread[0].tolist(),
        "shares_candidate": spread[1].tolist(),
        "mean_champion": float(champion.mean()),
        "mean_candidate": float(candidate.mean()),
    }
    passed = bool(found <= settings.psi_max)
    why = f"PSI of the score {found:.3f}, at most {settings.psi_max:g} allowed"
    return GateResult(gate=NAME, passed=passed, event_time_ns=now_ns, why=why, evidence=evidence)


def _spread(scores: Floats) -> Floats:
    """Share of the scores in each band."""
    return shares(np.bincount(np.searchsorted(BANDS, scores), minlength=len(BANDS) + 1))
