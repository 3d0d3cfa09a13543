"""One stream through the broker: start everyone, give the start instant, watch, and account for every event."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.accounts import EventIndex
from harness.aml.alerts import keep_lines
from harness.dead_letters import keep_dead_letters, letters_of
from harness.drift.retraining.gate import Answer
from harness.faults.driver import Driver, Injection, Vitals, driving
from harness.faults.input_fault import InputFault
from harness.faults.staging import Staging
from harness.footprint import Footprint, Footprints
from harness.instruments import NS_PER_S, Instruments, StreamPlan, taking
from harness.panel import Display, Snapshot
from harness.processes import Family
from harness.receiver import take_topic
from harness.run_topics import topics_of
from harness.scorers import Reach, Scorers, ScorerSetup
from harness.shares.shared_topics import shared_topics
from harness.shares.sharing import READY, STREAMED
from harness.spool import spooled
from harness.supervision import Supervision
from harness.timeline import Sample
from harness.watch import Watcher
from streams.brokers.connection import KafkaConnection
from streams.brokers.control import ControlPlane
from streams.topics import Topics

REFRESH_S = 0.25
LETTERS_S = 60.0
MESSAGES_S = 60.0
GRACE_S = 0.5
"""After the last answer, time for a second answer to something (a duplicate) to show itself."""


@dataclass(frozen=True, slots=True)
class StreamOutcome:
    """What came of it. Counts are the collector's and the load's; `scorers` are the processes' own summaries.
    `appended_ns` as `harness.appended` notes it; None without a broker."""

    start_ns: int
    counts: dict[str, Any]
    load: dict[str, Any]
    sent_ns: npt.NDArray[np.int64]
    dead_lettered: int
    samples: list[Sample]
    scorers: list[dict[str, Any]]
    decisions: Path
    footprints: list[Footprint] = field(default_factory=list)
    appended_ns: npt.NDArray[np.int64] | None = None
    injections: list[Injection] = field(default_factory=list)
    answers: list[Answer] | None = None
    """To drift; None where none was to be answered."""


class _Watch:
    """Turns the live figures into snapshots, and decides when the stream is over."""

    def __init__(self, plan: StreamPlan, instruments: Instruments, watcher: Watcher, start_ns: int) -> None:
        self._plan, self._instruments, self._watcher = plan, instruments, watcher
        self._start_ns = start_ns
        self._intended = np.load(plan.feed / "schedule.npy") + start_ns
        self._last = (start_ns, 0, 0.0)
        self._to_refuse = to_refuse(plan)

    @property
    def ends_ns(self) -> int:
        """When the last event's time-out ends."""
        last = int(self._intended[-1]) if len(self._intended) else self._start_ns
        return last + round(self._plan.timeout_s * NS_PER_S)

    def over(self, now_ns: int) -> bool:
        """Everything is sent, and everything is answered (or refused) or overdue."""
        figures = self._instruments.figures()
        if self._instruments.sending:
            return False
        refused = self._watcher.dead_lettered
        done = figures["answered"] + refused >= figures["sent"] + self._to_refuse and refused >= self._to_refuse
        return done or now_ns > self.ends_ns

    def _rate(self, now_ns: int, answered: int) -> float:
        then_ns, before, rate = self._last
        if now_ns - then_ns >= NS_PER_S:
            rate = (answered - before) * NS_PER_S / (now_ns - then_ns)
            self._last = (now_ns, answered, rate)
        return rate

    def _overdue(self, now_ns: int, answered: int) -> int:
        """How many more events are past their time-out than were answered."""
        due = int(np.searchsorted(self._intended, now_ns - round(self._plan.timeout_s * NS_PER_S)))
        return max(0, due - answered)

    def vitals(self) -> Vitals:
        """What may break a fault off."""
        figures = self._instruments.figures()
        overdue = self._overdue(time.monotonic_ns(), figures["answered"])
        return Vitals(overdue, figures["p99_ns"] / 1e6, max(0, figures["sent"] - figures["answered"]))

    def snapshot(self, now_ns: int) -> Snapshot:
        """The stream now."""
        figures, sample = self._instruments.figures(), self._watcher.last
        planned_ns = int(self._intended[-1]) - self._start_ns if len(self._intended) else 0
        return Snapshot(
            title=self._plan.title,
            elapsed_s=(now_ns - self._start_ns) / NS_PER_S,
            planned_s=planned_ns / NS_PER_S,
            events=len(self._intended),
            sent=figures["sent"],
            answered=figures["answered"],
            rate_per_s=self._rate(now_ns, figures["answered"]),
            p50_ms=figures["p50_ns"] / 1e6,
            p99_ms=figures["p99_ns"] / 1e6,
            by_path={path: figures[path] for path in ("rules", "model", "fallback")},
            duplicated=figures["duplicated"],
            overdue=self._overdue(now_ns, figures["answered"]),
            lag=max(0, figures["sent"] - figures["answered"]),
            breaker=sample.breaker if sample else None,
        )


def to_refuse(plan: StreamPlan) -> int:
    """How many messages the faults put in that the scorer must refuse, each with a dead letter."""
    faults = {each.place: each.fault for each in plan.faults.planned} if plan.faults else {}
    refused = [place for place, fault in faults.items() if isinstance(fault, InputFault) and fault.fate == "refuse"]
    return int(np.isin(np.load(plan.feed / "fed_place.npy"), refused).sum())


def _attend(watch: _Watch, family: Family, display: Display, driver: Driver) -> None:
    with display as shown:
        while True:
            family.check()
            driver.check()
            now_ns = time.monotonic_ns()
            shown.show(watch.snapshot(now_ns))
            if watch.over(now_ns):
                break
            time.sleep(REFRESH_S)
    time.sleep(GRACE_S)


def _dead_lettered(connection: KafkaConnection, topics: Topics) -> int:
    with ControlPlane(connection) as control:
        return sum(control.end_offsets(topics.dead_letter).values())


def _keep_letters(plan: StreamPlan, out: Path, reach: Reach, topics: Topics, dead_lettered: int) -> int:
    """Take the dead letters into the run folder, the scorers have ended; returns how many this stream has. There are
    `dead_lettered` on the topic, of which a stream that several hosts share has its own."""
    spool = reach.work / "dead-letters"
    if dead_lettered:
        take_topic(taking(topics.dead_letter, 1, reach, spool), time.monotonic_ns, LETTERS_S)
    kept = keep_dead_letters(letters_of(EventIndex.open(plan.feed), spooled(spool)), plan.feed, out)
    return dead_lettered if plan.sharing is None else kept.letters


def _keep_messages(topic: str, out: Path, reach: Reach) -> None:
    """Take a topic of one partition into a file of lines; the scorers have ended."""
    spool = reach.work / out.stem
    take_topic(taking(topic, 1, reach, spool), time.monotonic_ns, MESSAGES_S)
    keep_lines(spooled(spool), out)


def _topics(
    plan: StreamPlan, connection: KafkaConnection, reach: Reach, *, keep: bool
) -> AbstractContextManager[Topics]:
    if plan.sharing is None:
        return topics_of(connection, reach, plan.partitions, keep=keep)
    return shared_topics(plan.sharing, connection, reach, plan.partitions, keep=keep)


def stream_once(
    plan: StreamPlan, setup: ScorerSetup, reach: Reach, connection: KafkaConnection, display: Display, *, keep: bool
) -> StreamOutcome:
    """Run one stream to its end. Whatever happens, no process and (unless `keep`) no topic made for it is left."""
    reach.work.mkdir(parents=True, exist_ok=True)
    sharing = plan.sharing
    with _topics(plan, connection, reach, keep=keep) as topics, Family() as family:
        scorers = Scorers.start(setup, reach, family)
        with Supervision(scorers, family) as supervision:
            instruments = Instruments.start(plan, reach, topics, family)
            scorers.await_ready(family)
            footprints = Footprints(family.pids() | ({"broker": reach.broker_pid} if reach.broker_pid else {}))
            with Watcher(connection, scorers.group, topics.events, scorers, footprints) as watcher:
                if sharing is not None:
                    sharing.await_all(READY, family.check)
                reach.settle_broker()
                start_ns = instruments.go()
                watch = _Watch(plan, instruments, watcher, start_ns)
                staging = plan.faults or Staging(())
                targets = staging.targets(supervision)
                driver = Driver(staging.planned, targets, start_ns, time.monotonic_ns, watch.vitals)
                with driving(driver):
                    _attend(watch, family, display, driver)
                driver.check()
            if sharing is not None:
                sharing.await_all(STREAMED, family.check)
            instruments.end_investigating(family)
            summaries = scorers.stop(family)
        counts, load = instruments.finish(family)
        dead_lettered = _dead_lettered(connection, topics)
        if plan.letters is not None:
            dead_lettered = _keep_letters(plan, plan.letters, reach, topics, dead_lettered)
        if plan.alerts is not None:
            _keep_messages(topics.alerts, plan.alerts, reach)
        if plan.findings is not None:
            _keep_messages(topics.dispositions, plan.findings, reach)
    # mapped, as is the schedule: of a long run each is a hundred megabytes
    sent_ns, appended_ns = (np.load(reach.work / f"{name}.npy", mmap_mode="r") for name in ("sent", "appended"))
    return StreamOutcome(
        start_ns, counts, load, sent_ns, dead_lettered, watcher.samples, summaries, plan.decisions,
        footprints=list(footprints.found.values()), appended_ns=appended_ns,
        injections=driver.injections,
    )  # fmt: skip
