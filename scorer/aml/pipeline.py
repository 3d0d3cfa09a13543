"""The flow for a micro-batch of transfers: graph features of both sides, typologies, guarded model, decisions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.bundle import Thresholds
from models.calibration import Calibration
from models.features.batch import Status
from models.graph.batch import TransferBatch
from models.graph.catalog import AML_FEATURES
from models.graph.kernel.layout import CELL_FROM, CELL_TO
from models.graph.link_ledger import LinkLedger
from models.graph.state import GraphState
from rules.typologies.pack import TypologyPack
from scorer.aml.evening import EveningJob
from scorer.aml.judging import REVIEW, CustomerScores, JudgedSides, judge_sides
from scorer.aml.places import NOWHERE, Places
from scorer.aml.raising import AlertRaiser, ScoredTransfers
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.explaining import Scored
from scorer.judgement import BY_MODEL, Guard
from scorer.options import Explain
from scorer.pipeline import Explains, KeepsLate
from streams.alert import RawAlert
from streams.decision import OUTCOMES, PATHS, CustomerScore, Decision, Reason
from streams.labels import NS_PER_DAY, business_days
from streams.transfer import Transfer


@dataclass(frozen=True, slots=True)
class TransferParts:
    """What a pipeline is made of. All of it is owned by the one thread that decides."""

    state: GraphState
    ledger: LinkLedger
    places: Places
    pack: TypologyPack
    raiser: AlertRaiser
    guard: Guard
    calibration: Calibration
    thresholds: Thresholds
    model_version: str


@dataclass(frozen=True, slots=True)
class TransferAnswers:
    """A micro-batch answered: its decisions, in order, each made as it is asked for, and the raw alerts it raised."""

    decisions: Iterator[Decision]
    alerts: list[RawAlert]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A micro-batch in columns. Row 2i is transfer i's sender, 2i + 1 its receiver.

    Of rows: `place` and `market` int32 [2n], `values` float32 [2n, F], `margin` and `error` float32 [2n] (NaN where the
    model did not speak). `sides`: what was made of them.
    """

    events: Sequence[Transfer]
    place: NDArray[np.int32]
    values: NDArray[np.float32]
    market: NDArray[np.int32]
    margin: NDArray[np.float32]
    error: NDArray[np.float32]
    sides: JudgedSides
    stages: dict[str, int]


class TransferPipeline:
    """Decides micro-batches of transfers, in the order they are given; holds the graph between them.

    A decision depends on the transfers given before it, never on how they were cut into batches. Not for several
    threads.
    """

    def __init__(
        self, parts: TransferParts, *, clock_ns: ClockNs, worker: str, counters: Counters, explain: Explain = "flagged"
    ) -> None:
        self.parts = parts
        self.counters = counters
        self._customers = CustomerScores(parts.places, parts.pack)
        self.evening = EveningJob(parts.state, parts.ledger, clock_ns)
        self._clock_ns = clock_ns
        self._worker = worker
        self._explain = explain
        self._explaining: Explains | None = None
        self._late_scores: KeepsLate | None = None
        self._stale_before = parts.state.stale_lookups

    def explain_by(self, explaining: Explains) -> None:
        """From now on hand over the rows whose scores are to be explained; without it, none are."""
        self._explaining = explaining

    def keep_late_scores(self, late_scores: KeepsLate) -> None:
        """From now on say whose rows an overdue model call was made for."""
        self._late_scores = late_scores

    def answer(self, events: Sequence[Transfer], taken_ns: int) -> TransferAnswers:
        """Take a batch in: one decision a transfer, in order; repeated transfers get none. All decisions must be used
        up: with the last, the rows whose scores are to be explained have been handed over."""
        batch = self.parts.state.code_events(events)
        begin_ns = self._clock_ns()
        values, status, waited_ns = self._features(batch)
        kept = self._keep(status)
        place = self.parts.places.of_rows(batch.cells[:, [CELL_FROM, CELL_TO]].ravel())
        times = batch.time_ns
        if kept is not None:
            rows = np.repeat(kept, 2)
            values, place, times = values[rows], place[rows], times[kept]
            events = [events[row] for row in np.flatnonzero(kept).tolist()]
        features_ns = self._clock_ns()
        judged, alerts = self._judge(events, times, place, values)
        judged.stages["features"] = features_ns - begin_ns - waited_ns
        judged.stages["table_wait"] = waited_ns
        self._count(judged, alerts)
        return TransferAnswers(self._write(judged, taken_ns), alerts)

    def _features(self, batch: TransferBatch) -> tuple[NDArray[np.float32], NDArray[np.uint8], int]:
        """Rows and status of the batch, taken in piece by piece between the ends of days; and the wait for tables."""
        state, ledger = self.parts.state, self.parts.ledger
        values = np.empty((2 * len(batch), len(AML_FEATURES)), np.float32)
        status = np.zeros(len(batch), np.uint8)
        newest = np.maximum.accumulate(batch.time_ns)
        turns = np.flatnonzero(np.diff(newest // NS_PER_DAY) | np.diff(business_days(newest))) + 1
        waited_ns = 0
        for first, end in pairwise([0, *turns.tolist(), len(batch)]):
            waited_ns += self.evening.advance(int(newest[first]))
            state.compute_into(batch, values, status, first, end)
            ledger.observe(batch.take(slice(first, end)), status[first:end])
        return values, status, waited_ns

    def _keep(self, status: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
        """Transfers that get a decision: all (None) but repeated ones. Counts what was late."""
        counters = self.counters
        counters.taken += len(status)
        counters.batches += 1
        counters.tables_installed = self.evening.installed
        counters.stale_tables = self.parts.state.stale_lookups - self._stale_before
        if not status.any():
            return None
        counters.repeated += int((status == Status.REPEATED).sum())
        counters.late += int((status == Status.LATE).sum())
        counters.too_late += int((status == Status.TOO_LATE).sum())
        return np.asarray(status != Status.REPEATED)

    def _judge(
        self,
        events: Sequence[Transfer],
        times: NDArray[np.int64],
        place: NDArray[np.int32],
        values: NDArray[np.float32],
    ) -> tuple[_Judged, list[RawAlert]]:
        parts = self.parts
        begin_ns = self._clock_ns()
        market = parts.raiser.market_of(place)
        typologies = parts.pack.score(values, market)
        ids = [event.event_id for event in events]
        alerts = parts.raiser.take(ScoredTransfers(ids, times, place, values, typologies))
        rules_ns = self._clock_ns()
        known = np.flatnonzero(place != NOWHERE)
        margin, error = (np.full(len(place), np.nan, np.float32) for _ in range(2))
        model = None
        if len(known):
            guarded = parts.guard.score(values[known])
            if guarded.output is not None:
                margin[known], error[known] = guarded.output.margin, guarded.output.reconstruction_error
                model = np.zeros(len(place))
                model[known] = parts.calibration.scores(guarded.output.margin)
            elif self._late_scores is not None and guarded.fallback is not None and guarded.fallback.cause == "overdue":
                self._late_scores.expect(values[known], [ids[row // 2] for row in known.tolist()])
        raised = {alert.raised_by for alert in alerts}
        is_raised = np.fromiter((name in raised for name in ids), np.bool_, len(ids))
        sides = judge_sides(typologies, place, model, is_raised, parts.thresholds.review)
        stages = {"rules": rules_ns - begin_ns, "model": self._clock_ns() - rules_ns}
        return _Judged(events, place, values, market, margin, error, sides, stages), alerts

    def _write(self, judged: _Judged, taken_ns: int) -> Iterator[Decision]:
        """The rows as decisions, one by one, and then what is to be explained."""
        told = np.ones(len(judged.sides.top), np.bool_) if self._explain == "all" else judged.sides.outcome == REVIEW
        emitted: list[int] = []
        for transfer, (event, top) in enumerate(zip(judged.events, judged.sides.top.tolist(), strict=True)):
            customers = [row for row in (2 * transfer, 2 * transfer + 1) if judged.place[row] != NOWHERE]
            by_model = judged.sides.path[transfer] == BY_MODEL
            emitted_ns = self._clock_ns()
            emitted.append(emitted_ns)
            yield Decision(
                event_id=event.event_id,
                outcome=OUTCOMES[judged.sides.outcome[transfer]],
                score=max(float(judged.sides.ranked.score[top]), 0.0),
                path=PATHS[judged.sides.path[transfer]],
                reasons=self._reasons(judged, top) if told[transfer] and customers else [],
                margin=float(judged.margin[top]) if by_model else None,
                rules_version=self.parts.pack.version,
                model_version=self.parts.model_version,
                worker=self._worker,
                taken_ns=taken_ns,
                emitted_ns=emitted_ns,
                stages_ns=judged.stages,
                features=judged.values[top].astype("<f4").tobytes() if customers else None,
                customers=[self._customer(judged, row, by_model=by_model) for row in customers],
            )
        self._hand_over(judged, told, emitted)

    def _reasons(self, judged: _Judged, row: int) -> list[Reason]:
        """The bands of the customer's highest typology."""
        if judged.sides.ranked.rule_score[row] <= 0:
            return []
        typology = int(judged.sides.ranked.typology[row])
        return self.parts.pack.reasons(typology, judged.values[row], int(judged.market[row]))

    def _customer(self, judged: _Judged, row: int, *, by_model: bool) -> CustomerScore:
        margin = float(judged.margin[row]) if by_model else None
        return self._customers.of(judged.sides.ranked, row, int(judged.place[row]), margin)

    def _hand_over(self, judged: _Judged, told: NDArray[np.bool_], emitted: Sequence[int]) -> None:
        """Submit the rows whose score the model made and whose contributions are asked for."""
        if self._explaining is None or self._explain == "none":
            return
        chosen = np.flatnonzero(told & (judged.sides.path == BY_MODEL))
        if len(chosen):
            rows, places = judged.sides.top[chosen], chosen.tolist()
            ids = [judged.events[place].event_id for place in places]
            instants = [emitted[place] for place in places]
            self._explaining.submit(Scored(judged.values[rows], judged.error[rows], ids, instants))

    def _count(self, judged: _Judged, alerts: Sequence[RawAlert]) -> None:
        counters = self.counters
        counters.decided += len(judged.sides.path)
        counters.alerts += len(alerts)
        for path, count in zip(PATHS, np.bincount(judged.sides.path, minlength=len(PATHS)).tolist(), strict=True):
            counters.by_path[path] += count
        for outcome, count in zip(OUTCOMES, np.bincount(judged.sides.outcome, minlength=3).tolist(), strict=True):
            counters.by_outcome[outcome] += count
        for stage, duration_ns in judged.stages.items():
            counters.observe_stage(stage, duration_ns)
