"""One stream through the broker: start everyone, give the start instant, watch, and account for every event."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from harness.collector import CollectorPlan, RecordsPlan
from harness.footprint import Footprint, Footprints
from harness.load import LoadPlan, make_sent
from harness.panel import Display, Snapshot
from harness.processes import Child, Family, module_command
from harness.progress import Live
from harness.receiver import ReceiverPlan, take_topic
from harness.run_topics import topics_of
from harness.scorers import Reach, Scorers, ScorerSetup
from harness.timeline import Sample
from harness.watch import Watcher
from streams.brokers.connection import KafkaConnection
from streams.brokers.control import ControlPlane
from streams.errors import RunInvalidError
from streams.topics import Topics

NS_PER_S = 1_000_000_000
START_IN_NS = 300_000_000
READY_S = 60.0
REFRESH_S = 0.25
GRACE_S = 0.5
"""After the last answer, time for a second answer to something (a duplicate) to show itself."""
DRAIN_S = 120.0
EXPLANATIONS_S = 60.0
"""For reading all explanations, once the scorers have ended."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One stream. `feed` is a feed folder, `events` the Parquet file of its events in the same order; `records` says
    what is kept of it beside its decisions; `senders`, how many load processes share it."""

    title: str
    feed: Path
    events: Path
    dispositions: Path
    partitions: int
    timeout_s: float
    measured_from: int
    decisions: Path
    records: RecordsPlan | None = None
    senders: int = 1


@dataclass(frozen=True, slots=True)
class StreamOutcome:
    """What came of it. Counts are the collector's and the load's; `scorers` are the processes' own summaries."""

    start_ns: int
    counts: dict[str, Any]
    load: dict[str, Any]
    sent_ns: npt.NDArray[np.int64]
    dead_lettered: int
    samples: list[Sample]
    scorers: list[dict[str, Any]]
    decisions: Path
    footprints: list[Footprint] = field(default_factory=list)


def _write_plan(path: Path, plan: msgspec.Struct) -> str:
    path.write_bytes(msgspec.json.encode(plan))
    return str(path)


def _taking(topic: str, plan: StreamPlan, reach: Reach, spool: str) -> ReceiverPlan:
    return ReceiverPlan(
        topic=topic,
        partitions=plan.partitions,
        bootstrap_servers=reach.bootstrap_servers,
        kafka_config=str(reach.kafka_config) if reach.kafka_config else None,
        spool=str(reach.work / spool),
    )


@dataclass(frozen=True, slots=True)
class LoadProcess:
    """A started load process, the count it keeps of what it sent, and what it leaves behind."""

    child: Child
    live: Live
    summary: Path


def _load_plans(plan: StreamPlan, reach: Reach, topics: Topics) -> list[LoadPlan]:
    work = reach.work
    make_sent(work / "sent.npy", len(np.load(plan.feed / "schedule.npy", mmap_mode="r")))
    return [
        LoadPlan(
            feed=str(plan.feed),
            prefix=topics.prefix,
            bootstrap_servers=reach.bootstrap_servers,
            kafka_config=str(reach.kafka_config) if reach.kafka_config else None,
            sent=str(work / "sent.npy"),
            progress=str(work / f"load-{share}.live"),
            summary=str(work / f"load-{share}.json"),
            share=share,
            shares=plan.senders,
        )
        for share in range(plan.senders)
    ]


def _start(name: str, module: str, plan: msgspec.Struct, reach: Reach, family: Family) -> Child:
    command = module_command(module, _write_plan(reach.work / f"{name}.plan", plan))
    return family.start(name, command, reach.logs / f"{name}.log", talk=True)


def _start_load(plan: StreamPlan, reach: Reach, topics: Topics, family: Family) -> list[LoadProcess]:
    started = []
    for load_plan in _load_plans(plan, reach, topics):
        name = "load" if plan.senders == 1 else f"load-{load_plan.share}"
        live = Live.create(Path(load_plan.progress))
        child = _start(name, "harness.load", load_plan, reach, family)
        started.append(LoadProcess(child, live, Path(load_plan.summary)))
    return started


@dataclass(slots=True)
class Instruments:
    """The measuring processes of a stream."""

    loads: list[LoadProcess]
    receiver: Child
    collector: Child
    live: Live
    start_file: Path
    collector_summary: Path
    explanations: ReceiverPlan | None

    @classmethod
    def start(cls, plan: StreamPlan, reach: Reach, topics: Topics, family: Family) -> "Instruments":
        """Start load, receiver and collector, and wait until they are ready."""
        work = reach.work
        live = Live.create(work / "live")
        receiver_plan = _taking(topics.decisions, plan, reach, "spool")
        explanations = _taking(topics.explanations, plan, reach, "explanations") if plan.records else None
        collector_plan = CollectorPlan(
            feed=str(plan.feed),
            spool=str(work / "spool"),
            sent=str(work / "sent.npy"),
            start_file=str(work / "start"),
            events=str(plan.events),
            timeout_ns=round(plan.timeout_s * NS_PER_S),
            measured_from=plan.measured_from,
            out=str(plan.decisions),
            progress=str(work / "live"),
            summary=str(work / "collector.json"),
            records=plan.records,
            explanations_spool=explanations.spool if explanations else None,
        )
        loads = _start_load(plan, reach, topics, family)
        receiver = _start("receiver", "harness.receiver", receiver_plan, reach, family)
        collector = _start("collector", "harness.collector", collector_plan, reach, family)
        for child in (*(load.child for load in loads), receiver, collector):
            child.await_line("ready", READY_S)
        return cls(loads, receiver, collector, live, work / "start", work / "collector.json", explanations)

    def figures(self) -> dict[str, int]:
        """The live figures, with what all load processes have sent."""
        return {**self.live.get(), "sent": sum(load.live.get()["sent"] for load in self.loads)}

    @property
    def sending(self) -> bool:
        """Whether any load process has not ended."""
        return any(load.child.running for load in self.loads)

    def go(self) -> int:
        """Give the start instant (ns, monotonic) to everyone."""
        start_ns = time.monotonic_ns() + START_IN_NS
        partial = self.start_file.with_suffix(".part")
        partial.write_text(str(start_ns), encoding="utf-8")
        partial.replace(self.start_file)
        for load in self.loads:
            load.child.tell(str(start_ns))
        return start_ns

    def finish(self, family: Family) -> tuple[dict[str, Any], dict[str, Any]]:
        """End the receiver, take the explanations, let the collector read to the end; returns the collector's and the
        load's counts. The scorers have ended: no explanation comes after this."""
        family.stop(self.receiver)
        if self.explanations is not None:
            take_topic(self.explanations, time.monotonic_ns, EXPLANATIONS_S)
        if self.collector.wait(DRAIN_S) != 0:
            raise (
                self.collector.failure()
                if not self.collector.running
                else RunInvalidError(f"the collector did not end within {DRAIN_S:g} s; see {self.collector.log}")
            )
        family.stop(self.collector)
        for load in self.loads:
            family.stop(load.child)
        summaries = [json.loads(load.summary.read_bytes()) for load in self.loads]
        return json.loads(self.collector_summary.read_bytes()), added_up(summaries)


def added_up(summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several load processes did together: counts added, the first error of any."""
    counts = ("sent", "side_sent", "undelivered", "queue_full")
    errors = [summary["first_error"] for summary in summaries if summary["first_error"]]
    return {
        **{name: sum(int(summary[name]) for summary in summaries) for name in counts},
        "first_error": errors[0] if errors else None,
        "processes": list(summaries),
    }


class _Watch:
    """Turns the live figures into snapshots, and decides when the stream is over."""

    def __init__(self, plan: StreamPlan, instruments: Instruments, watcher: Watcher, start_ns: int) -> None:
        self._plan, self._instruments, self._watcher = plan, instruments, watcher
        self._start_ns = start_ns
        self._intended = np.load(plan.feed / "schedule.npy") + start_ns
        self._last = (start_ns, 0, 0.0)

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
        return figures["answered"] + self._watcher.dead_lettered >= figures["sent"] or now_ns > self.ends_ns

    def _rate(self, now_ns: int, answered: int) -> float:
        then_ns, before, rate = self._last
        if now_ns - then_ns >= NS_PER_S:
            rate = (answered - before) * NS_PER_S / (now_ns - then_ns)
            self._last = (now_ns, answered, rate)
        return rate

    def snapshot(self, now_ns: int) -> Snapshot:
        """The stream now."""
        figures, sample = self._instruments.figures(), self._watcher.last
        due = int(np.searchsorted(self._intended, now_ns - round(self._plan.timeout_s * NS_PER_S)))
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
            overdue=max(0, due - figures["answered"]),
            lag=max(0, figures["sent"] - figures["answered"]),
            breaker=sample.breaker if sample else None,
        )


def _attend(watch: _Watch, family: Family, display: Display) -> None:
    with display as shown:
        while True:
            family.check()
            now_ns = time.monotonic_ns()
            shown.show(watch.snapshot(now_ns))
            if watch.over(now_ns):
                break
            time.sleep(REFRESH_S)
    time.sleep(GRACE_S)


def _dead_lettered(connection: KafkaConnection, topics: Topics) -> int:
    with ControlPlane(connection) as control:
        return sum(control.end_offsets(topics.dead_letter).values())


def stream_once(
    plan: StreamPlan, setup: ScorerSetup, reach: Reach, connection: KafkaConnection, display: Display, *, keep: bool
) -> StreamOutcome:
    """Run one stream to its end. Whatever happens, no process and (unless `keep`) no topic made for it is left."""
    reach.work.mkdir(parents=True, exist_ok=True)
    with topics_of(connection, reach, plan.partitions, keep=keep) as topics, Family() as family:
        scorers = Scorers.start(setup, reach, family)
        instruments = Instruments.start(plan, reach, topics, family)
        scorers.await_ready(family)
        footprints = Footprints(family.pids())
        with Watcher(connection, scorers.group, topics.events, scorers, footprints) as watcher:
            start_ns = instruments.go()
            _attend(_Watch(plan, instruments, watcher, start_ns), family, display)
        summaries = scorers.stop(family)
        counts, load = instruments.finish(family)
        dead_lettered = _dead_lettered(connection, topics)
    sent_ns = np.load(reach.work / "sent.npy")
    return StreamOutcome(
        start_ns, counts, load, sent_ns, dead_lettered, watcher.samples, summaries, plan.decisions,
        footprints=list(footprints.found.values()),
    )  # fmt: skip
