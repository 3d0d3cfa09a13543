"""The flow for a micro-batch of transfers: graph features of both sides, typologies, guarded model, decisions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Thresholds
from models.calibration import Calibration
from models.features.batch import Status
from models.graph.batch import TransferBatch
from models.graph.catalog import AML_FEATURES
from models.graph.followed import Followed
from models.graph.link_ledger import LinkLedger
from models.graph.state import GraphState
from rules.typologies.pack import TypologyPack
from scorer.aml.evening import EveningJob, stretches
from scorer.aml.judged import Judged, Ruled, to_explain
from scorer.aml.judging import REVIEW, CustomerScores, judge_sides
from scorer.aml.places import NOWHERE, Places
from scorer.aml.raising import AlertRaiser, ScoredTransfers
from scorer.aml.state_files import TransferState, followed_of, snapshot_of
from scorer.aml.writing import DecisionWriter
from scorer.checkpoint.answered import Answered, sift
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.judgement import BY_MODEL, Guard
from scorer.options import Explain
from scorer.pipeline import Explains, KeepsLate
from streams.alert import RawAlert
from streams.decision import OUTCOMES, PATHS, Decision
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


class TransferPipeline:
    """Decides micro-batches of transfers, in the order they are given; holds the graph between them.

    A decision depends on the transfers given before it, never on how they were cut into batches. Not for several
    threads. `parts` are another's after `begin_from`.
    """

    def __init__(
        self, parts: TransferParts, *, clock_ns: ClockNs, worker: str, counters: Counters, explain: Explain = "flagged"
    ) -> None:
        self.parts = parts
        self.counters = counters
        self._writer = DecisionWriter(CustomerScores(parts.places, parts.pack), parts.model_version, worker, clock_ns)
        self.evening = EveningJob(parts.state, parts.ledger, clock_ns)
        self._clock_ns = clock_ns
        self._explain = explain
        self._explaining: Explains | None = None
        self._late_scores: KeepsLate | None = None
        self._answered: Answered | None = None
        self._stale_before = parts.state.stale_lookups

    def explain_by(self, explaining: Explains) -> None:
        """From now on hand over the rows whose scores are to be explained; without it, none are."""
        self._explaining = explaining

    def keep_late_scores(self, late_scores: KeepsLate) -> None:
        """From now on say whose rows an overdue model call was made for."""
        self._late_scores = late_scores

    def leave_out(self, answered: Answered) -> None:
        """From now on say nothing that is `answered`: such transfers only enter the state."""
        self._answered = answered

    @property
    def busy(self) -> bool:
        """Whether a community table is being drawn at this instant."""
        return self.evening.drawing

    def snapshot(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The state at this instant (see `snapshot_of`), with the tables that are being drawn: it waits for them."""
        self.evening.settle()
        return snapshot_of(self.parts.state, self.parts.ledger, self.parts.raiser)

    def followed(self) -> list[Followed]:
        """Those arrays of the state that tell what of them was written (see `followed_of`)."""
        return followed_of(self.parts.state, self.parts.ledger, self.parts.raiser)

    def begin_from(self, state: TransferState) -> None:
        """Go on from another state."""
        installed = self.evening.installed
        self.evening.close()
        places = Places.of(state.graph, state.accounts)
        self.parts = replace(self.parts, state=state.graph, ledger=state.ledger, raiser=state.raiser, places=places)
        self._writer = replace(self._writer, customers=CustomerScores(places, self.parts.pack))
        self.evening = EveningJob(state.graph, state.ledger, self._clock_ns)
        self.evening.installed = installed
        self._stale_before = state.graph.stale_lookups - self.counters.stale_tables

    def answer(self, events: Sequence[Transfer], taken_ns: int) -> TransferAnswers:
        """Take a batch in: one decision a transfer, in order; repeated transfers get none. All decisions must be used
        up: with the last, the rows whose scores are to be explained have been handed over."""
        batch = self.parts.state.code_events(events)
        begin_ns = self._clock_ns()
        values, status, waited_ns = self._features(batch)
        kept = self._keep(status)
        place = self.parts.places.of_sides(batch)
        times = batch.time_ns
        if kept is not None:
            rows = np.repeat(kept, 2)
            values, place, times = values[rows], place[rows], times[kept]
            events = [events[row] for row in np.flatnonzero(kept).tolist()]
        features_ns = self._clock_ns()
        ruled, alerts = self._rule(events, times, place, values)
        if self._answered:  # empty but after a restart
            ruled = self._undecided(self._answered, ruled)
            alerts = [alert for alert in alerts if not self._answered.raised(alert.alert_id)]
        rules_ns = self._clock_ns()
        judged = self._judge(ruled)
        stages = {
            "features": features_ns - begin_ns - waited_ns,
            "rules": rules_ns - features_ns,
            "model": self._clock_ns() - rules_ns,
            "table_wait": waited_ns,
        }
        judged.stages.update(stages)
        self._count(judged, alerts)
        return TransferAnswers(self._write(judged, taken_ns), alerts)

    def _features(self, batch: TransferBatch) -> tuple[NDArray[np.float32], NDArray[np.uint8], int]:
        """Rows and status of the batch, taken in piece by piece between the ends of days; and the wait for tables."""
        state, ledger = self.parts.state, self.parts.ledger
        values = np.empty((2 * len(batch), len(AML_FEATURES)), np.float32)
        status = np.zeros(len(batch), np.uint8)
        waited_ns = 0
        for first, end, newest_ns in stretches(batch.time_ns):
            waited_ns += self.evening.advance(newest_ns)
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
        if not any(status.tolist()):
            return None
        counters.repeated += int((status == Status.REPEATED).sum())
        counters.late += int((status == Status.LATE).sum())
        counters.too_late += int((status == Status.TOO_LATE).sum())
        return np.asarray(status != Status.REPEATED)

    def _rule(
        self,
        events: Sequence[Transfer],
        times: NDArray[np.int64],
        place: NDArray[np.int32],
        values: NDArray[np.float32],
    ) -> tuple[Ruled, list[RawAlert]]:
        """Typology scores, and the raw alerts that are raised by them."""
        parts = self.parts
        market = parts.raiser.market_of(place)
        typologies = parts.pack.score(values, market)
        ids = [event.event_id for event in events]
        alerts = parts.raiser.take(ScoredTransfers(ids, times, place, values, typologies))
        raised = np.zeros(len(ids), np.bool_)
        if alerts:
            named = {alert.raised_by for alert in alerts}
            raised[:] = [name in named for name in ids]
        return Ruled(events, ids, place, values, market, typologies, raised), alerts

    def _undecided(self, answered: Answered, ruled: Ruled) -> Ruled:
        """Those that are not decided yet; what the others still owe, an explanation, is handed over."""
        sifted = sift(answered, ruled.ids, range(len(ruled.ids)), self._explain)
        self.counters.replayed += len(ruled.ids) - len(sifted.undecided)
        if self._explaining is not None and len(sifted.unexplained):
            judged = self._judge(ruled.chosen(sifted.unexplained))
            known = np.flatnonzero(judged.sides.path == BY_MODEL)
            self.counters.explain_failed += len(judged.sides.path) - len(known)
            if len(known):
                self._explaining.submit(to_explain(judged, known, sifted.emitted_ns))
        return ruled.chosen(sifted.undecided)

    def _judge(self, ruled: Ruled) -> Judged:
        parts, place = self.parts, ruled.place
        known = np.flatnonzero(place != NOWHERE)
        whole = len(known) == len(place)  # the rule: no row is copied, nor put in its place
        margin, error = np.full((2, len(place)), np.nan, np.float32)
        model = None
        if len(known):
            rows = ruled.values if whole else ruled.values[known]
            guarded = parts.guard.score(rows)
            if guarded.output is not None:
                at = slice(None) if whole else known
                margin[at], error[at] = guarded.output.margin, guarded.output.reconstruction_error
                model = np.zeros(len(place))
                model[at] = parts.calibration.scores(guarded.output.margin)
            elif self._late_scores is not None and guarded.fallback is not None and guarded.fallback.cause == "overdue":
                self._late_scores.expect(rows, [ruled.ids[row // 2] for row in known.tolist()])
        sides = judge_sides(ruled.typologies, place, model, ruled.raised, parts.thresholds.review)
        return Judged(ruled.events, place, ruled.values, ruled.market, margin, error, sides, {})

    def _write(self, judged: Judged, taken_ns: int) -> Iterator[Decision]:
        """The rows as decisions, one by one, and then what is to be explained."""
        sides = judged.sides
        told = np.ones(len(sides.top), np.bool_) if self._explain == "all" else sides.outcome == REVIEW
        emitted: list[int] = []
        yield from self._writer.write(judged, told, taken_ns, emitted)
        self._hand_over(judged, told, emitted)

    def _hand_over(self, judged: Judged, told: NDArray[np.bool_], emitted: Sequence[int]) -> None:
        """Submit the rows whose score the model made and whose contributions are asked for."""
        if self._explaining is None or self._explain == "none":
            return
        if not told.any():
            return
        chosen = np.flatnonzero(told & (judged.sides.path == BY_MODEL))
        if self._answered:  # a killed process may have got an explanation out and not its decision
            explained = self._answered.explained
            chosen = np.array([at for at in chosen.tolist() if not explained(judged.events[at].event_id)], np.intp)
        if len(chosen):
            self._explaining.submit(to_explain(judged, chosen, emitted))

    def _count(self, judged: Judged, alerts: Sequence[RawAlert]) -> None:
        counters = self.counters
        counters.decided += len(judged.sides.path)
        counters.alerts += len(alerts)
        paths, outcomes = judged.sides.path.tolist(), judged.sides.outcome.tolist()
        for code, path in enumerate(PATHS):
            counters.by_path[path] += paths.count(code)
        for code, outcome in enumerate(OUTCOMES):
            counters.by_outcome[outcome] += outcomes.count(code)
        for stage, duration_ns in judged.stages.items():
            counters.observe_stage(stage, duration_ns)
