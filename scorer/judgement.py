"""From verdicts of the rules to decisions: who decides a row (rules, model, fallback), its score and its outcome."""

from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.bundle import Thresholds
from rules.pack import APPROVE, ESCALATE, RulePack, Verdicts
from scorer.guarded_model import Guarded, Scored
from streams.decision import PATHS

BY_RULES, BY_MODEL, BY_FALLBACK = range(len(PATHS))
_ALL_BY_MODEL = np.full(4_096, BY_MODEL, np.int8)
_ALL_BY_MODEL.flags.writeable = False


class Guard(Protocol):
    """The model behind its breaker and time limit."""

    def score(self, values: NDArray[np.float32]) -> Guarded:
        """Score rows, or say that there is no score in time. Never raises for what the model does."""


class Calibrated(Protocol):
    """Turns margins into scores (`models.calibration.Calibration`). Strictly increasing: ranks stay what they are."""

    def graded(
        self, margin: NDArray[np.float32], review: float, block: float
    ) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
        """Grades (0 below `review`, 1 from there, 2 from `block` on) int8 [n], and scores in 0–1, float64 [n], of
        log-odds float32 [n]."""


class Judgement(msgspec.Struct, frozen=True):
    """The columns of a micro-batch's decisions, before they are put into words.

    `outcome` int8 [n] (approve, review, block), `path` int8 [n] (an index into `PATHS`), `score` float64 [n] in 0–1,
    `margin` float32 [n] (NaN where the model did not speak), `error` float32 [n] the reconstruction error beside it.
    `overdue` are the very rows of a model call that was left behind past its time limit, those of path `fallback`.
    """

    outcome: NDArray[np.int8]
    path: NDArray[np.int8]
    score: NDArray[np.float64]
    margin: NDArray[np.float32]
    error: NDArray[np.float32]
    overdue: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Rules and model of one worker, and how the model's margins become scores and outcomes."""

    pack: RulePack
    guard: Guard
    calibration: Calibrated
    thresholds: Thresholds

    def decide(self, values: NDArray[np.float32]) -> tuple[Verdicts, Judgement]:
        """Verdicts and decisions on feature rows, float32 [n, F]."""
        verdicts = self.pack.decide(values)
        return verdicts, self.judge(values, verdicts)

    def judge(self, values: NDArray[np.float32], verdicts: Verdicts) -> Judgement:
        """Decide rows (float32 [n, F]): what the rules escalated goes to the guarded model, and where that gives no
        score, to the rules' fallback."""
        count = len(values)
        if count and not np.count_nonzero(verdicts.outcome):  # all escalated: nothing to be scattered
            guarded = self.guard.score(values)
            if guarded.output is not None:
                output = guarded.output
                margin, error = output.margin, output.reconstruction_error
                outcome, score = judge_by_model(margin, self.thresholds, self.calibration)
                path = _ALL_BY_MODEL[:count] if count <= len(_ALL_BY_MODEL) else np.full(count, BY_MODEL, np.int8)
                return Judgement(outcome, path, score, margin, error)
            return self._scattered(verdicts, np.ones(count, np.bool_), None, _overdue(guarded, values))
        escalated = verdicts.outcome == ESCALATE
        if not escalated.any():
            return self._scattered(verdicts, escalated, None, None)
        rows = values[escalated]
        guarded = self.guard.score(rows)
        return self._scattered(verdicts, escalated, guarded.output, _overdue(guarded, rows))

    def _scattered(
        self,
        verdicts: Verdicts,
        escalated: NDArray[np.bool_],
        output: Scored | None,
        overdue: NDArray[np.float32] | None,
    ) -> Judgement:
        """Verdicts with the model's output, or the fallback where there is none, in the place of escalated rows."""
        outcome, score = verdicts.outcome.copy(), verdicts.score.copy()
        margin = np.full(len(outcome), np.nan, np.float32)
        error = np.full(len(outcome), np.nan, np.float32)
        path = np.full(len(outcome), BY_RULES, np.int8)
        if output is not None:
            margin[escalated], error[escalated] = output.margin, output.reconstruction_error
            outcome[escalated], score[escalated] = judge_by_model(output.margin, self.thresholds, self.calibration)
            path[escalated] = BY_MODEL
        else:
            fallback_outcome, fallback_score = self.pack.fallback(verdicts)
            outcome[escalated], score[escalated] = fallback_outcome[escalated], fallback_score[escalated]
            path[escalated] = BY_FALLBACK
        return Judgement(outcome, path, score, margin, error, overdue)


def _overdue(guarded: Guarded, rows: NDArray[np.float32]) -> NDArray[np.float32] | None:
    return rows if guarded.fallback is not None and guarded.fallback.cause == "overdue" else None


def judge_by_model(
    margin: NDArray[np.float32], thresholds: Thresholds, calibration: Calibrated
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Margins (log-odds, float32 [n]) to outcomes (int8 [n]) and scores (float64 [n])."""
    outcome, score = calibration.graded(margin, thresholds.review, thresholds.block)
    outcome += APPROVE  # approve, review and block follow one another
    return outcome, score
