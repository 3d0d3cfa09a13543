"""Event time held at every event-day, with a scorer made up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from harness.drift.alarm import Alarm
from harness.drift.retraining.attending import Answering, event_days
from harness.drift.retraining.course import Course
from harness.drift.retraining.live_watch import LiveWatch
from harness.drift.retraining.settings import AnswerSettings
from harness.drift.retraining.so_far import SoFar
from harness.processes import Family
from harness.scorers import Worker
from streams.codec import encode_decision
from streams.decision import Decision
from streams.rollout import read_plan
from tests.unit.harness.drift.retraining.made import CHAMPION, FakeDesk, alarm, day

DAYS = 12
TIMES = np.array([day(number + 0.5) for number in range(DAYS)], np.int64)
IDS = pa.chunked_array([[f"e{number}" for number in range(DAYS)]])
MS = 1_000_000


class Watch:
    """Raises an alarm on the fourth day."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.anew = 0

    def take(self, rows: pa.Table, now_ns: int) -> list[Alarm]:
        self.taken.append(len(rows))
        return [alarm(3.5)] if now_ns == day(4) else []

    def begin_anew(self) -> None:
        self.anew += 1


class Scorer:
    """Decides an event a day and stands still where it is told to; each barrier holds it for 5 ms."""

    def __init__(self, control: Path, decisions: Path) -> None:
        self._control, self._decisions, self._done = control, decisions, 0
        self._decisions.write_bytes(b"")
        self.running = True
        self.child = self
        self._hold_ns: int | None = None
        self._held_ms = 0.0

    def health(self) -> dict[str, Any]:
        """As /health tells it."""
        hold_ns = read_plan(self._control).hold_event_time_ns
        if hold_ns != self._hold_ns:
            self._held_ms += 0.0 if self._hold_ns is None else 5.0
            self._hold_ns = hold_ns
        with self._decisions.open("ab") as file:
            while self._done < DAYS and (hold_ns is None or TIMES[self._done] < hold_ns):
                said = Decision(event_id=f"e{self._done}", outcome="approve", score=0.1)
                file.write(encode_decision(said) + b"\n")
                self._done += 1
        return {"rollout": {"holding_at_ns": hold_ns, "held_ms": self._held_ms, "refused": {}}}


class Trail:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.gates: list[tuple[int, str | None, str]] = []

    def gate(self, attempt: int, candidate: str | None, said: dict[str, Any]) -> None:
        self.gates.append((attempt, candidate, said["gate"]))


def attended(folder: Path) -> tuple[Answering, Watch, Sequence[int]]:
    decisions, watch = folder / "decisions.jsonl", Watch()
    course = Course(CHAMPION, FakeDesk(), AnswerSettings(renewals_max=0))
    found = Answering(folder / "plan.json", course, cast(LiveWatch, watch), TIMES, 1.0, rest=lambda _: None)
    scorer = Scorer(found.control, decisions)
    found.follow(SoFar(decisions, IDS))
    with Family() as family:
        found.attend(cast(Worker, scorer), family, decisions)
    return found, watch, [record[0] for record in found.records()]


def test_days_begin_at_midnight_and_the_first_is_none() -> None:
    assert event_days(TIMES) == [day(number) for number in range(1, DAYS)]
    assert event_days(np.zeros(0, np.int64)) == []


def test_every_day_is_looked_at_once_with_what_was_decided_in_it(tmp_path: Path) -> None:
    found, watch, _ = attended(tmp_path)
    assert watch.taken == [1] * (DAYS - 1)
    assert [step.phase for step in found.steps] == ["shadow", "canary", "full"]
    plan = read_plan(tmp_path / "plan.json")
    assert (plan.steps, plan.hold_event_time_ns) == (found.steps, None)
    assert watch.anew == 1


def test_gates_are_recorded_after_the_decisions_that_were_there(tmp_path: Path) -> None:
    found, _, lines = attended(tmp_path)
    assert lines == [4, 0, 2, 2]
    trail = Trail()
    for _, record in found.records():
        record(trail)  # type: ignore[arg-type]
    assert trail.gates == [(1, "fraud-1", gate) for gate in ("backtest", "segments", "shadow", "canary")]


def test_events_are_due_as_much_later_as_time_stood_still_before_them(tmp_path: Path) -> None:
    found, _, _ = attended(tmp_path)
    schedule = np.arange(DAYS, dtype=np.int64) * MS
    delayed = found.delayed(schedule, {"rollout": {"held_ms": 5.0 * (DAYS - 1)}})
    assert (delayed - schedule).tolist() == [5 * MS * number for number in range(DAYS)]
