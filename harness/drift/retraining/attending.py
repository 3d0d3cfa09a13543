"""Holds event time at the end of every event-day, lets the course of the answer look, and lets time go on."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from harness.audit_trail.writer import AuditTrail
from harness.drift.alarm import Alarm
from harness.drift.retraining.course import Course
from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.live_watch import LiveWatch
from harness.drift.retraining.so_far import Mark, SoFar
from harness.processes import Family
from harness.scorers import Worker
from streams.errors import RunInvalidError
from streams.labels import NS_PER_DAY
from streams.rollout import Candidate, RolloutPlan, RolloutStep, write_plan

Int64s = npt.NDArray[np.int64]
POLL_S = 0.01
STILL_S = 120.0
"""An event-day takes no longer than its schedule and this."""


def event_days(times_ns: Int64s) -> list[int]:
    """The beginnings of the event-days (UTC) after the first, for events at these times (int64 [n])."""
    if not len(times_ns):
        return []
    first, last = int(times_ns.min()) // NS_PER_DAY + 1, int(times_ns.max()) // NS_PER_DAY
    return [day * NS_PER_DAY for day in range(first, last + 1)]


class Rest(Protocol):
    """Lets a moment pass."""

    def __call__(self, seconds: float, /) -> None:
        """Sleep."""


class Answering:
    """The attendant of a run that answers drift (`harness.inprocess.Attendant`).

    `times_ns` int64 [n] are the event times in the order of sending, `planned_s` how long the whole schedule takes.
    `say` hears of every step.
    """

    def __init__(
        self, control: Path, course: Course, watch: LiveWatch, times_ns: Int64s, planned_s: float,
        say: Callable[[str], None] = lambda text: None, rest: Rest = time.sleep,
    ) -> None:  # fmt: skip
        self._control, self.course, self._watch, self._times = control, course, watch, times_ns
        self._planned_s, self._say, self._rest = planned_s, say, rest
        self._barriers = event_days(times_ns)
        self._steps: tuple[RolloutStep, ...] = ()
        self._held: list[tuple[int, int]] = []
        self._marks: list[Mark] = []
        self._recorded: list[tuple[int, int, str | None, GateResult]] = []
        self._so_far: SoFar | None = None
        self._refused: Mapping[str, str] = {}
        self.alarms: list[Alarm] = []

    @property
    def control(self) -> Path:
        """The plan; written with the first barrier."""
        if not self._control.exists():
            self._write(self._barriers[0] if self._barriers else None)
        return self._control

    @property
    def steps(self) -> tuple[RolloutStep, ...]:
        """Every step of the rollout."""
        return self._steps

    def refused(self, candidate: Candidate) -> str | None:
        """Why the scorer would not load a candidate; None where it did."""
        return self._refused.get(candidate.model_version)

    def follow(self, so_far: SoFar) -> None:
        """Where the decisions so far are read; before the stream begins."""
        self._so_far = so_far

    def attend(self, worker: Worker, family: Family, decisions: Path) -> None:
        """Stop at every barrier, look, and go on."""
        del decisions
        if self._so_far is None:
            raise RunInvalidError("nobody reads the decisions of this run")
        for place, barrier_ns in enumerate(self._barriers):
            rollout = self._await_hold(worker, family, barrier_ns)
            if rollout is None:
                return
            self._refused = rollout["refused"]
            self._held.append((barrier_ns, round(rollout["held_ms"] * 1e6)))
            self._look(barrier_ns, self._so_far)
            after = place + 1
            self._write(self._barriers[after] if after < len(self._barriers) else None)

    def _look(self, now_ns: int, so_far: SoFar) -> None:
        raised = self._watch.take(so_far.read(), now_ns)
        self.alarms += raised
        for alarm in raised:
            self._say(f"alarm: {alarm.why}")
        before, champion = len(self.course.gates), self.course.champion
        steps = self.course.at(now_ns, raised)
        for attempt, gate in self.course.gates[before:]:
            candidate = self.course.answers[attempt - 1].candidate
            self._recorded.append((so_far.lines, attempt, candidate, gate))
            self._say(f"{gate.gate} {'passed' if gate.passed else 'NOT passed'}: {gate.why}")
        for step in steps:
            self._say(f"{step.phase}: {step.candidate.model_version}")
        self._steps += tuple(steps)
        if self.course.champion != champion:
            self._watch.begin_anew()

    def _await_hold(self, worker: Worker, family: Family, barrier_ns: int) -> dict[str, Any] | None:
        """What the scorer says of its rollout once it stands still there; None when it has ended."""
        deadline = time.monotonic() + self._planned_s + STILL_S
        while worker.child.running:
            family.check()
            rollout = (worker.health() or {}).get("rollout")
            if rollout is not None and rollout["holding_at_ns"] == barrier_ns:
                found: dict[str, Any] = rollout
                return found
            if time.monotonic() > deadline:
                raise RunInvalidError(
                    f"the scorer did not come to event time {barrier_ns} in {self._planned_s + STILL_S:.0f} s; "
                    f"see {worker.child.log}"
                )
            self._rest(POLL_S)
        return None

    def _write(self, hold_ns: int | None) -> None:
        write_plan(self._control, RolloutPlan(steps=self._steps, hold_event_time_ns=hold_ns))

    def records(self) -> Iterable[tuple[int, Callable[[AuditTrail], None]]]:
        """The gates, each after the decisions that were there when it was asked."""
        before = 0
        for lines, attempt, candidate, gate in self._recorded:
            said = msgspec.to_builtins(gate)
            yield lines - before, partial(_record, attempt=attempt, candidate=candidate, said=said)
            before = lines

    def delayed(self, schedule_ns: Int64s, summary: Mapping[str, Any]) -> Int64s:
        """An event is due as much later as event time had stood still before it."""
        delayed = schedule_ns.copy()
        ends = [held_ns for _, held_ns in self._held[1:]]
        ends.append(round(float((summary.get("rollout") or {}).get("held_ms", 0.0)) * 1e6))
        newest = np.maximum.accumulate(self._times)
        for (barrier_ns, held_before), held_ns in zip(self._held, ends, strict=True):
            delayed[newest >= barrier_ns] += held_ns - held_before
        return delayed


def _record(trail: AuditTrail, attempt: int, candidate: str | None, said: Mapping[str, Any]) -> None:
    trail.gate(attempt, candidate, said)
