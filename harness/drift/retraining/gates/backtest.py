"""Backtest: on the last labelled days the candidate ranks no worse than the champion."""

from typing import Any

from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.held import Held
from harness.drift.retraining.settings import AnswerSettings
from harness.quality.cards import card_precision, mean_precision
from harness.quality.curves import average_precision
from harness.quality.scored import Scored

NAME = "backtest"


def backtest(held: Held, k: int, now_ns: int, settings: AnswerSettings, name: str = NAME) -> GateResult:
    """Card precision@K and PR-AUC of both on the same events. Of a candidate that was trained, the scores must be of
    one that was trained without these days."""
    frauds = int(held.champion.is_fraud.sum())
    evidence: dict[str, Any] = {"events": len(held.champion), "frauds": frauds, "k": k}
    if frauds < settings.frauds_min:
        why = f"{frauds} known frauds in the days to be judged by; at least {settings.frauds_min} show something"
        return GateResult(gate=name, passed=False, event_time_ns=now_ns, why=why, evidence=evidence)
    champion, candidate = _figures(held.champion, k), _figures(held.rescored, k)
    floor = 1 - settings.rank_loss_max
    worse = [what for what, value in champion.items() if candidate[what] < floor * value]
    told = ", ".join(f"{what} {champion[what]:.3f} → {candidate[what]:.3f}" for what in champion)
    why = f"{told}: {'worse in ' + ' and '.join(worse) if worse else 'not worse'}"
    evidence |= {"champion": champion, "candidate": candidate, "rank_loss_max": settings.rank_loss_max}
    return GateResult(gate=name, passed=not worse, event_time_ns=now_ns, why=why, evidence=evidence)


def _figures(scored: Scored, k: int) -> dict[str, float]:
    precision = mean_precision(card_precision(scored, k))
    return {"precision_at_k": precision or 0.0, "pr_auc": average_precision(scored.is_fraud, scored.score) or 0.0}
