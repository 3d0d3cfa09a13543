"""The decision flow for a micro-batch: features, rules, guarded model, words. The same code under every engine."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.features.batch import Status, TransactionBatch
from models.features.day_table import DayTable
from models.features.state import FeatureState
from rules.pack import APPROVE
from scorer.checkpoint.answered import Answered, sift
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.event_clock import EventClock, Plausible
from scorer.explaining import Scored
from scorer.judgement import BY_FALLBACK, BY_MODEL, Judge, Judgement, judge_by_model
from scorer.messages import Origin, read
from scorer.options import Explain
from scorer.rollout.rollout import Rollout, Rows
from scorer.words.answers import Answers, Speaker
from scorer.words.decided import Decided
from scorer.words.written import Words, Written
from streams.decision import OUTCOMES, PATHS, DeadLetter, Decision
from streams.transaction import CardTransaction

__all__ = ["Batch", "Parts", "Pipeline", "judge_by_model"]


class Explains(Protocol):
    """Takes rows whose scores are to be explained (`scorer.explaining.Explaining`)."""

    def submit(self, rows: Scored) -> None:
        """Take them; never waits."""


class KeepsLate(Protocol):
    """Keeps what overdue model calls come to (`scorer.late_scores.LateScores`)."""

    def expect(self, rows: NDArray[np.float32], event_ids: Sequence[str]) -> None:
        """An overdue call was made for these very rows, of these events."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of. All of it is owned by the one thread that decides."""

    state: FeatureState
    judge: Judge
    model_version: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A micro-batch: the ids of the events taken together, and their columns."""

    event_ids: Sequence[str]
    columns: TransactionBatch


@dataclass(frozen=True, slots=True)
class Arrived:
    """What was taken off a topic: its events as a micro-batch (None when there are none), the place of each among the
    messages, and a letter for each message that is no event."""

    batch: Batch | None
    places: Sequence[int]
    dead_letters: Sequence[DeadLetter]


class _Writing:
    """A micro-batch's decisions in words, as they are asked for (`Words`). When there are no more, `then` is called
    with the instants at which they were emitted."""

    def __init__(self, answers: Answers, clock_ns: ClockNs, then: Callable[[Sequence[int]], None]) -> None:
        self._answers, self._clock_ns, self._then = answers, clock_ns, then
        self._emitted: list[int] = []

    def __call__(self, most: int) -> Written:
        low, high = len(self._emitted), min(len(self._emitted) + most, len(self._answers))
        if low == high:
            self._then(self._emitted)
            return Written((), (), 0)
        found = self._answers.written(low, high, self._clock_ns)
        self._emitted += [found.emitted_ns] * (high - low)
        return found


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
        plausible: Plausible | None = None,
    ) -> None:
        self._parts = parts
        self._clock_ns = clock_ns
        self._speaker = Speaker(parts.judge.pack, parts.model_version, worker, tells_all=explain == "all")
        self._explain = explain
        self._explaining: Explains | None = None
        self._late_scores: KeepsLate | None = None
        self._answered: Answered | None = None
        self._rollout: Rollout | None = None
        self._stale_before = parts.state.stale_lookups
        self.counters = counters
        self.event_clock = EventClock(plausible or Plausible(), lambda: parts.state.newest_day)

    def explain_by(self, explaining: Explains) -> None:
        """From now on hand over the rows whose scores are to be explained; without it, none are."""
        self._explaining = explaining

    def keep_late_scores(self, late_scores: KeepsLate) -> None:
        """From now on say whose rows an overdue model call was made for."""
        self._late_scores = late_scores

    def leave_out(self, answered: Answered) -> None:
        """From now on decide nothing that is `answered`: such events only enter the state."""
        self._answered = answered

    def change_by(self, rollout: Rollout) -> None:
        """From now on let the rollout say whose model decides."""
        self._rollout = rollout

    @property
    def rollout(self) -> Rollout | None:
        """What says whose model decides, if that may change."""
        return self._rollout

    def prepare(self, events: Sequence[CardTransaction]) -> Batch:
        """Put the events into columns. Batches are decided in the order they were prepared."""
        return Batch([event.event_id for event in events], self._parts.state.code_events(events))

    def take(self, values: Sequence[bytes], origin: Callable[[int], Origin]) -> Arrived:
        """Put messages into columns, as `prepare` does; `origin` tells where the message at an index came from. Never
        raises for their content."""
        state = self._parts.state
        plain = state.read(values)
        if plain is not None and self.event_clock.believes(plain.time_ns):
            return Arrived(Batch(plain.event_ids(), state.batch(plain)), range(len(plain)), ())
        taken = read(values, origin, self.event_clock)
        return Arrived(self.prepare(taken.events) if taken.events else None, taken.places, taken.dead_letters)

    def missing_days(self, batch: Batch) -> list[int]:
        """Business days whose tables the batch needs and the state does not hold."""
        return self._parts.state.missing_days(batch.columns)

    def install(self, table: DayTable) -> None:
        """Take a day's table."""
        self._parts.state.install(table)
        self.counters.tables_installed += 1

    def decide(self, batch: Batch, taken_ns: int, table_wait_ns: int = 0) -> Iterator[Decision]:
        """Decide a batch: one decision an event, in order; repeated events get none.

        The decisions are made one by one, so that `emitted_ns` is read when the caller hands that decision on; all of
        them must be used up. Then the rows whose scores are to be explained have been handed over too.
        """
        decided = self._decide(batch, table_wait_ns)
        emitted_ns = yield from Answers(decided, self._speaker, taken_ns).decisions(self._clock_ns)
        self._hand_over(decided, emitted_ns)

    def write(self, batch: Batch, taken_ns: int, table_wait_ns: int = 0) -> Words:
        """As `decide`, the same decisions in words, a few at a time: `emitted_ns` is read once for those that are asked
        for together. They must be asked for until there are no more."""
        decided = self._decide(batch, table_wait_ns)
        return _Writing(Answers(decided, self._speaker, taken_ns), self._clock_ns, partial(self._hand_over, decided))

    def _decide(self, batch: Batch, table_wait_ns: int) -> Decided:
        state, judge, clock = self._parts.state, self._parts.judge, self._clock_ns
        begin_ns = clock()
        if self._rollout is not None:
            self._rollout.take()
        block = state.compute(batch.columns)
        kept = self._keep(block.status)
        if self._answered:  # empty but after a restart
            kept = self._undecided(self._answered, batch, block.values, kept)
        values = block.values if kept is None else block.values[kept]
        features_ns = clock()
        verdicts = judge.pack.decide(values)
        rules_ns = clock()
        ids = batch.event_ids if kept is None else [batch.event_ids[row] for row in kept.tolist()]
        parts = None if self._rollout is None else self._rollout.decide(self._rows(batch, kept, ids), values, verdicts)
        judged = judge.judge(values, verdicts) if parts is None else parts.judged
        stages = {
            "features": features_ns - begin_ns,
            "rules": rules_ns - features_ns,
            "model": clock() - rules_ns,
            "table_wait": table_wait_ns,
        }
        self._count(judged, stages)
        if parts is None and judged.overdue is not None and self._late_scores is not None:
            fallen_back = np.flatnonzero(judged.path == BY_FALLBACK).tolist()
            self._late_scores.expect(judged.overdue, [ids[row] for row in fallen_back])
        return Decided(ids, values, verdicts, judged, stages, parts)

    def _keep(self, status: NDArray[np.uint8]) -> NDArray[np.intp] | None:
        """Rows that get a decision: all (None) but repeated ones. Counts what was late."""
        counters = self.counters
        counters.stale_tables = self._parts.state.stale_lookups - self._stale_before
        counters.taken += len(status)
        counters.batches += 1
        if not np.count_nonzero(status):
            return None
        counters.repeated += int((status == Status.REPEATED).sum())
        counters.late += int((status == Status.LATE).sum())
        counters.too_late += int((status == Status.TOO_LATE).sum())
        return np.flatnonzero(status != Status.REPEATED)

    def _undecided(
        self, answered: Answered, batch: Batch, values: NDArray[np.float32], kept: NDArray[np.intp] | None
    ) -> NDArray[np.intp]:
        """Of the rows kept (None: all) those that are not decided yet; what they still owe, an explanation, is handed
        over."""
        rows = range(len(values)) if kept is None else kept.tolist()
        sifted = sift(answered, batch.event_ids, rows, self._explain)
        self.counters.replayed += len(rows) - len(sifted.undecided)
        owed = sifted.unexplained
        if self._explaining is not None and len(owed):
            ids = [batch.event_ids[row] for row in owed.tolist()]
            again = self._again(self._rows(batch, owed, ids), values[owed])
            known = np.flatnonzero(again.judged.path == BY_MODEL)
            self.counters.explain_failed += len(owed) - len(known)
            self._submit(again, known, sifted.emitted_ns)
        return sifted.undecided

    def _rows(self, batch: Batch, kept: NDArray[np.intp] | None, ids: Sequence[str]) -> Rows:
        """The rows kept of a batch (None: all), whose events have these ids, as a rollout looks at them."""
        times, codes = batch.columns.time_ns, batch.columns.card
        if kept is not None:
            times, codes = times[kept], codes[kept]
        return Rows(ids, times, self._parts.state.names_of("card", codes), codes)

    def _again(self, rows: Rows, values: NDArray[np.float32]) -> Decided:
        """Rows that are decided already, once more."""
        judge, rollout = self._parts.judge, self._rollout
        verdicts = judge.pack.decide(values)
        parts = None if rollout is None else rollout.decide(rows, values, verdicts, again=True)
        judged = judge.judge(values, verdicts) if parts is None else parts.judged
        return Decided(rows.ids, values, verdicts, judged, {}, parts)

    def _hand_over(self, decided: Decided, emitted_ns: Sequence[int]) -> None:
        """Submit the rows whose score the model made and whose contributions are asked for."""
        if self._explaining is None or self._explain == "none":
            return
        judged = decided.judged
        wanted = judged.path == BY_MODEL
        if self._explain == "flagged":
            wanted &= judged.outcome != APPROVE
        rows = np.flatnonzero(wanted)
        if self._answered:  # a killed process may have got an explanation out and not its decision
            explained = self._answered.explained
            rows = np.array([row for row in rows.tolist() if not explained(decided.ids[row])], np.intp)
        self._submit(decided, rows, emitted_ns)

    def _submit(self, decided: Decided, wanted: NDArray[np.intp], emitted_ns: Sequence[int]) -> None:
        """Hand these rows over, each to be explained by the model that decided it."""
        if self._explaining is None or len(wanted) == 0:
            return
        for by, rows in decided.explained_by(wanted):
            places = rows.tolist()
            ids, instants = [decided.ids[row] for row in places], [emitted_ns[row] for row in places]
            self._explaining.submit(Scored(decided.values[rows], decided.judged.error[rows], ids, instants, by))

    def _count(self, judged: Judgement, stages: dict[str, int]) -> None:
        counters = self.counters
        counters.decided += len(judged.path)
        for path, count in Counter(judged.path.tolist()).items():
            counters.by_path[PATHS[path]] += count
        for outcome, count in Counter(judged.outcome.tolist()).items():
            counters.by_outcome[OUTCOMES[outcome - 1]] += count
        for stage, duration_ns in stages.items():
            counters.observe_stage(stage, duration_ns)
