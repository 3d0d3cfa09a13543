"""Segments: no group of customers loses what the champion caught, at the same number of alerts.

Of the frauds of a segment that only one of the two would flag, as many should fall to either: the exact sign test
(McNemar 1947) says by what chance so few fall to the candidate.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.held import Held
from harness.drift.retraining.settings import AnswerSettings

NAME = "segments"


def segments(held: Held, now_ns: int, settings: AnswerSettings) -> GateResult:
    """Frauds caught by each model alone, by segment; both flag as many events as were flagged."""
    budget = int(held.champion.flagged.sum())
    flagged = [_top(score, budget) for score in (held.champion.score, held.candidate)]
    rows = [_row(name, held, held.segment == code, flagged) for code, name in enumerate(held.segments)]
    rows = [row for row in rows if row["frauds"]]
    allowed = settings.segment_chance_max / max(1, len(rows))
    worse = [str(row["segment"]) for row in rows if row["chance"] < allowed]
    why = f"worse in {', '.join(worse)}" if worse else f"no worse in any of {len(rows)} segments"
    evidence = {"alerts": budget, "chance_max": allowed, "segments": rows}
    return GateResult(gate=NAME, passed=not worse, event_time_ns=now_ns, why=why, evidence=evidence)


def _top(score: npt.NDArray[np.float64], budget: int) -> npt.NDArray[np.bool_]:
    flagged = np.zeros(len(score), np.bool_)
    flagged[np.argsort(-score, kind="stable")[:budget]] = True
    return flagged


def _row(name: str, held: Held, here: npt.NDArray[np.bool_], flagged: list[npt.NDArray[np.bool_]]) -> dict[str, Any]:
    frauds = here & held.champion.is_fraud
    lost = int((frauds & flagged[0] & ~flagged[1]).sum())
    won = int((frauds & flagged[1] & ~flagged[0]).sum())
    return {
        "segment": name,
        "events": int(here.sum()),
        "frauds": int(frauds.sum()),
        "missed_champion": int((frauds & ~flagged[0]).sum()),
        "missed_candidate": int((frauds & ~flagged[1]).sum()),
        "only_champion": lost,
        "only_candidate": won,
        "chance": float(bdtr(won, won + lost, 0.5)),
    }
