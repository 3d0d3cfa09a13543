"""The decision flow for a micro-batch: features, rules, guarded model, reasons. The same code under every engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.bundle import Thresholds
from models.features.batch import Status, TransactionBatch
from models.features.day_table import DayTable
from models.features.state import FeatureState
from models.onnx_model import probability
from rules.pack import APPROVE, BLOCK, ESCALATE, REVIEW, RulePack, Verdicts
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.guarded_model import Guarded
from scorer.options import Explain
from scorer.reasons import merge
from streams.decision import OUTCOMES, Decision, Path, Reason
from streams.transaction import CardTransaction


class Guard(Protocol):
    """The model behind its breaker and time limit."""

    def score(self, values: NDArray[np.float32]) -> Guarded:
        """Score rows, or say that there is no score in time. Never raises for what the model does."""


class Contributions(Protocol):
    """Explains scores by features."""

    def reasons(
        self, values: NDArray[np.float32], reconstruction_error: NDArray[np.float32], top: int
    ) -> list[list[Reason]]:
        """The `top` features that moved each row's score most, as reasons."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of. All of it is owned by the one thread that decides."""

    state: FeatureState
    pack: RulePack
    guard: Guard
    contributions: Contributions
    thresholds: Thresholds
    model_version: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A micro-batch: the events taken together and their columns."""

    events: Sequence[CardTransaction]
    columns: TransactionBatch


@dataclass(frozen=True, slots=True)
class Judgement:
    """The columns of a micro-batch's decisions, before they are put into words.

    `outcome` int8 [n] (approve, review, block), `path` names by row, `score` float64 [n] in 0–1, `margin` float32 [n]
    (NaN where the model did not speak), `error` float32 [n] the reconstruction error beside it.
    """

    outcome: NDArray[np.int8]
    path: list[Path]
    score: NDArray[np.float64]
    margin: NDArray[np.float32]
    error: NDArray[np.float32]


def judge_by_model(margin: NDArray[np.float32], thresholds: Thresholds) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Margins (log-odds, float32 [n]) to outcomes (int8 [n]) and scores (float64 [n])."""
    score = probability(margin)
    outcome = np.full(len(score), APPROVE, np.int8)
    outcome[score >= thresholds.review] = REVIEW
    outcome[score >= thresholds.block] = BLOCK
    return outcome, score


class Pipeline:
    """Decides micro-batches, in the order they are given; holds the feature state between them.

    A decision depends on the events given before it, never on how they were cut into batches. Not for several threads.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        clock_ns: ClockNs,
        worker: str,
        counters: Counters,
        explain: Explain = "flagged",
        top: int = 3,
    ) -> None:
        self._parts = parts
        self._clock_ns = clock_ns
        self._worker = worker
        self._explain = explain
        self._top = top
        self._stale_before = parts.state.stale_lookups
        self.counters = counters

    def prepare(self, events: Sequence[CardTransaction]) -> Batch:
        """Put the events into columns. Batches are decided in the order they were prepared."""
        return Batch(events, self._parts.state.code_events(events))

    def missing_days(self, batch: Batch) -> list[int]:
        """Business days whose tables the batch needs and the state does not hold."""
        return self._parts.state.missing_days(batch.columns)

    def install(self, table: DayTable) -> None:
        """Take a day's table."""
        self._parts.state.install(table)
        self.counters.tables_installed += 1

    def decide(self, batch: Batch, taken_ns: int, table_wait_ns: int = 0) -> Iterator[Iterator[Decision]]:
        """Decide a batch, in two waves: what needs no explanation at once, then what had to be explained.

        Each wave makes its decisions one by one, so that `emitted_ns` is read when the caller hands that decision on;
        a wave must be used up before the next is asked for. Repeated events get no decision.
        """
        state, clock = self._parts.state, self._clock_ns
        begin = clock()
        block = state.compute(batch.columns)
        features_ns = clock() - begin
        kept = self._keep(batch, block.status)
        events = batch.events if len(kept) == len(batch.events) else [batch.events[i] for i in kept]
        values = block.values if len(kept) == len(batch.events) else block.values[kept]
        begin = clock()
        verdicts = self._parts.pack.decide(values)
        rules_ns = clock() - begin
        begin = clock()
        judged = self._judge(values, verdicts)
        stages = {"features": features_ns, "rules": rules_ns, "model": clock() - begin, "table_wait": table_wait_ns}
        self._count(judged, stages)
        scribe = _Scribe(
            self._parts,
            worker=self._worker,
            clock_ns=clock,
            events=events,
            values=values,
            verdicts=verdicts,
            judged=judged,
            taken_ns=taken_ns,
            explain=self._explain,
        )
        explained = self._rows_to_explain(judged)
        yield scribe.write(np.flatnonzero(~explained).tolist(), stages, {})
        rows = np.flatnonzero(explained)
        if len(rows):
            begin = clock()
            found = self._parts.contributions.reasons(values[rows], judged.error[rows], self._top)
            stages = {**stages, "explain": clock() - begin}
            self.counters.observe_stage("explain", stages["explain"])
            yield scribe.write(rows.tolist(), stages, dict(zip(rows.tolist(), found, strict=True)))

    def _keep(self, batch: Batch, status: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Rows that get a decision: all but repeated ones. Counts what was late."""
        self.counters.stale_tables = self._parts.state.stale_lookups - self._stale_before
        self.counters.taken += len(status)
        self.counters.batches += 1
        if not status.any():
            return np.arange(len(status))
        self.counters.repeated += int((status == Status.REPEATED).sum())
        self.counters.late += int((status == Status.LATE).sum())
        self.counters.too_late += int((status == Status.TOO_LATE).sum())
        return np.flatnonzero(status != Status.REPEATED)

    def _judge(self, values: NDArray[np.float32], verdicts: Verdicts) -> Judgement:
        rows = np.flatnonzero(verdicts.outcome == ESCALATE)
        outcome, score = verdicts.outcome.copy(), verdicts.score.copy()
        margin = np.full(len(values), np.nan, np.float32)
        error = np.full(len(values), np.nan, np.float32)
        path: list[Path] = ["rules"] * len(values)
        if len(rows) == 0:
            return Judgement(outcome, path, score, margin, error)
        guarded = self._parts.guard.score(values[rows])
        taken_path: Path = "model"
        if guarded.output is not None:
            margin[rows], error[rows] = guarded.output.margin, guarded.output.reconstruction_error
            outcome[rows], score[rows] = judge_by_model(guarded.output.margin, self._parts.thresholds)
        else:
            taken_path = "fallback"
            fallback_outcome, fallback_score = self._parts.pack.fallback(verdicts)
            outcome[rows], score[rows] = fallback_outcome[rows], fallback_score[rows]
        for row in rows.tolist():
            path[row] = taken_path
        return Judgement(outcome, path, score, margin, error)

    def _rows_to_explain(self, judged: Judgement) -> NDArray[np.bool_]:
        """Rows whose score the model made and whose contributions are asked for."""
        by_model = ~np.isnan(judged.margin)
        if self._explain == "none":
            return np.zeros_like(by_model)
        return by_model if self._explain == "all" else by_model & (judged.outcome != APPROVE)

    def _count(self, judged: Judgement, stages: dict[str, int]) -> None:
        counters = self.counters
        counters.decided += len(judged.path)
        for path in judged.path:
            counters.by_path[path] += 1
        for code, count in enumerate(np.bincount(judged.outcome, minlength=4)[1:].tolist()):
            counters.by_outcome[OUTCOMES[code]] += count
        for stage, duration_ns in stages.items():
            counters.observe_stage(stage, duration_ns)


class _Scribe:
    """Puts the rows of one judged micro-batch into words."""

    def __init__(
        self,
        parts: Parts,
        *,
        worker: str,
        clock_ns: ClockNs,
        events: Sequence[CardTransaction],
        values: NDArray[np.float32],
        verdicts: Verdicts,
        judged: Judgement,
        taken_ns: int,
        explain: Explain,
    ) -> None:
        self._parts, self._worker, self._clock_ns, self._events = parts, worker, clock_ns, events
        self._values, self._verdicts, self._judged, self._taken_ns = values, verdicts, judged, taken_ns
        self._explain = explain

    def write(
        self, rows: list[int], stages: dict[str, int], contributions: dict[int, list[Reason]]
    ) -> Iterator[Decision]:
        """The rows' decisions, one by one; `contributions` by row."""
        judged, parts = self._judged, self._parts
        bytes_all = np.ascontiguousarray(self._values, dtype="<f4").tobytes()
        width = 4 * self._values.shape[1]
        outcomes, scores, margins = judged.outcome.tolist(), judged.score.tolist(), judged.margin.tolist()
        everything = self._explain == "all"
        for row in rows:
            path = judged.path[row]
            reasons: list[Reason] = []
            if everything or outcomes[row] != APPROVE:
                reasons = merge(self._rule_reasons(row), contributions.get(row, []))
            yield Decision(
                event_id=self._events[row].event_id,
                outcome=OUTCOMES[outcomes[row] - 1],
                score=scores[row],
                path=path,
                reasons=reasons,
                margin=margins[row] if path == "model" else None,
                rules_version=parts.pack.version,
                model_version=parts.model_version,
                worker=self._worker,
                taken_ns=self._taken_ns,
                emitted_ns=self._clock_ns(),
                stages_ns=stages,
                features=bytes_all[row * width : (row + 1) * width],
            )

    def _rule_reasons(self, row: int) -> list[Reason]:
        fired: Any = self._verdicts.fired[row]
        return self._parts.pack.reasons(fired, self._values[row])
