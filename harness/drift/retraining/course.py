"""The course of an answer: alarm, candidate, gates, shadow, canary, full; or rolled back at any gate.

Time is event time and stands still while the course is asked: what it says holds from there on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.drift.alarm import Alarm
from harness.drift.retraining.gate import Answer, GateResult, Outcome, PhaseBegun
from harness.drift.retraining.settings import AnswerSettings
from streams.labels import NS_PER_DAY
from streams.rollout import Candidate, Phase, RolloutStep


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate as it was validated: on what it was trained, and what the gates before the stream said. None where
    there is nothing to train on yet; `gates` then say why."""

    candidate: Candidate | None
    trained: dict[str, Any]
    gates: list[GateResult]


class Desk(Protocol):
    """Makes candidates and judges them by what was decided so far (`harness.drift.retraining.desk`)."""

    def propose(self, now_ns: int, champion: Candidate) -> Proposal:
        """Train and validate a candidate with what is known at `now_ns`."""

    def judge_shadow(self, since_ns: int, now_ns: int, candidate: Candidate) -> GateResult:
        """Judge a candidate that was in shadow since."""

    def judge_canary(self, since_ns: int, now_ns: int, candidate: Candidate) -> GateResult:
        """Judge a candidate that had a canary's cards since."""


@dataclass(slots=True)
class _Attempt:
    number: int
    began_ns: int
    alarms: list[Alarm]
    champion: Candidate
    proposal: Proposal
    gates: list[GateResult]
    phases: list[PhaseBegun] = field(default_factory=list)
    outcome: Outcome = "under-way"
    stopped_by: str | None = None

    def told(self) -> Answer:
        candidate = self.proposal.candidate
        return Answer(
            attempt=self.number,
            event_time_ns=self.began_ns,
            alarms=[alarm.to_dict() for alarm in self.alarms],
            champion=self.champion.model_version,
            candidate=None if candidate is None else candidate.model_version,
            trained=self.proposal.trained,
            gates=self.gates,
            phases=self.phases,
            outcome=self.outcome,
            stopped_by=self.stopped_by,
        )


class Course:
    """Asked at every barrier what comes next. One drift is answered at a time; alarms meanwhile belong to it."""

    def __init__(self, champion: Candidate, desk: Desk, settings: AnswerSettings | None = None) -> None:
        self._settings = settings or AnswerSettings()
        self._champion, self._desk = champion, desk
        self._attempts: list[_Attempt] = []
        self._alarms: list[Alarm] = []
        self._tried = 0
        self._not_before_ns = 0
        self._renewals = 0

    @property
    def answers(self) -> list[Answer]:
        """Every attempt so far."""
        return [attempt.told() for attempt in self._attempts]

    @property
    def gates(self) -> list[tuple[int, GateResult]]:
        """Every gate so far in the order of event time, with the number of its attempt."""
        return [(attempt.number, gate) for attempt in self._attempts for gate in attempt.gates]

    @property
    def champion(self) -> Candidate:
        """Who decides now."""
        return self._champion

    def at(self, now_ns: int, alarms: Sequence[Alarm]) -> list[RolloutStep]:
        """The steps that begin now; `alarms` are those raised since the last time."""
        self._alarms += alarms
        running = self._running
        if running is not None:
            return self._go_on(running, now_ns)
        if not self._alarms or now_ns < self._not_before_ns or self._tried >= self._settings.attempts_max:
            return []
        return self._begin(now_ns)

    @property
    def _running(self) -> _Attempt | None:
        last = self._attempts[-1] if self._attempts else None
        return last if last is not None and last.outcome == "under-way" else None

    def _begin(self, now_ns: int) -> list[RolloutStep]:
        proposal = self._desk.propose(now_ns, self._champion)
        self._tried += 1
        attempt = _Attempt(
            len(self._attempts) + 1, now_ns, list(self._alarms), self._champion, proposal, list(proposal.gates)
        )
        self._attempts.append(attempt)
        failed = next((gate.gate for gate in proposal.gates if not gate.passed), None)
        if failed is not None or proposal.candidate is None:
            self._stop(attempt, failed or "training", now_ns)
            return []
        return [self._step(attempt, proposal.candidate, "shadow", now_ns)]

    def _go_on(self, attempt: _Attempt, now_ns: int) -> list[RolloutStep]:
        candidate, phase = attempt.proposal.candidate, attempt.phases[-1]
        assert candidate is not None  # noqa: S101 - no phase begins without one
        since_ns = phase.from_event_time_ns
        in_shadow = phase.phase == "shadow"
        lasts = self._settings.shadow_days if in_shadow else self._settings.canary_days
        if now_ns < since_ns + round(lasts * NS_PER_DAY):
            return []
        judge = self._desk.judge_shadow if in_shadow else self._desk.judge_canary
        gate = judge(since_ns, now_ns, candidate)
        attempt.gates.append(gate)
        if not gate.passed:
            self._stop(attempt, gate.gate, now_ns)
            return [self._step(attempt, candidate, "rolled-back", now_ns)]
        if in_shadow:
            return [self._step(attempt, candidate, "canary", now_ns, self._settings.canary_share)]
        attempt.outcome, self._champion = "full", candidate
        self._after_full(now_ns)
        return [self._step(attempt, candidate, "full", now_ns)]

    def _after_full(self, now_ns: int) -> None:
        """The drift is answered, but for renewals; what is alarmed about after those is news."""
        self._tried = 0
        self._not_before_ns = now_ns + round(self._settings.again_days * NS_PER_DAY)
        if self._renewals < self._settings.renewals_max:
            self._renewals += 1
        else:
            self._alarms, self._renewals = [], 0

    def _stop(self, attempt: _Attempt, gate: str, now_ns: int) -> None:
        attempt.outcome, attempt.stopped_by = "rolled-back", gate
        self._not_before_ns = now_ns + round(self._settings.again_days * NS_PER_DAY)

    def _step(
        self, attempt: _Attempt, candidate: Candidate, phase: Phase, now_ns: int, share: float | None = None
    ) -> RolloutStep:
        attempt.phases.append(PhaseBegun(phase=phase, from_event_time_ns=now_ns, share=share))
        return RolloutStep(phase=phase, from_event_time_ns=now_ns, candidate=candidate, share=share)
