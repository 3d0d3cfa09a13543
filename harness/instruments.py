"""The measuring processes of a stream (load, collection, investigators): started, told when to begin, then ended."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from harness.collection import Collecting, Collection
from harness.collector import CollectorPlan, RecordsPlan
from harness.faults.staging import Staging
from harness.load import LoadPlan, make_instants
from harness.processes import Child, Family, module_command
from harness.progress import Live
from harness.receiver import ReceiverPlan, take_topic
from harness.scorers import Reach
from harness.shares.sharing import Sharing
from streams.topics import Topics

NS_PER_S = 1_000_000_000
START_IN_NS = 300_000_000
READY_S = 60.0
INVESTIGATED_S = 20.0
EXPLANATIONS_S = 60.0
"""For reading all explanations, once the scorers have ended."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One stream. `feed` is a feed folder, `events` the Parquet file of its events in the same order; `records` says
    what is kept of it beside its decisions, `letters` where its dead letters go (None: nowhere); `senders`, how many
    load processes share it, `collectors`, how many collect it; `linger_ms`, how long the load gathers messages."""

    title: str
    feed: Path
    events: Path
    dispositions: Path
    partitions: int
    timeout_s: float
    measured_from: int
    decisions: Path
    records: RecordsPlan | None = None
    letters: Path | None = None
    senders: int = 1
    collectors: int = 1
    linger_ms: float = 0.0
    faults: Staging | None = None
    alerts: Path | None = None
    """Where raw alerts are kept; None: there are none of interest."""
    investigators: Callable[[Topics, Reach], msgspec.Struct] | None = None
    """Makes the plan of the investigators' process; None: nobody investigates."""
    findings: Path | None = None
    """Where the messages of the dispositions topic are kept; None: they are of no interest."""
    sharing: Sharing | None = None
    """With whom the stream is shared; None: with nobody."""


def _write_plan(path: Path, plan: msgspec.Struct) -> str:
    path.write_bytes(msgspec.json.encode(plan))
    return str(path)


def taking(topic: str, partitions: int, reach: Reach, spool: Path) -> ReceiverPlan:
    """How a topic is read into a spool."""
    return ReceiverPlan(
        topic=topic,
        partitions=partitions,
        bootstrap_servers=reach.bootstrap_servers,
        kafka_config=str(reach.kafka_config) if reach.kafka_config else None,
        spool=str(spool),
    )


def _explanations(topics: Topics, plan: StreamPlan, reach: Reach) -> ReceiverPlan:
    return taking(topics.explanations, plan.partitions, reach, reach.work / "explanations")


@dataclass(frozen=True, slots=True)
class LoadProcess:
    """A started load process, the count it keeps of what it sent, and what it leaves behind."""

    child: Child
    live: Live
    summary: Path


def _load_plans(plan: StreamPlan, reach: Reach, topics: Topics) -> list[LoadPlan]:
    work = reach.work
    events = len(np.load(plan.feed / "schedule.npy", mmap_mode="r"))
    for name in ("sent", "appended"):
        make_instants(work / f"{name}.npy", events)
    return [
        LoadPlan(
            feed=str(plan.feed),
            prefix=topics.prefix,
            domain=topics.domain,
            bootstrap_servers=reach.bootstrap_servers,
            kafka_config=str(reach.kafka_config) if reach.kafka_config else None,
            sent=str(work / "sent.npy"),
            appended=str(work / "appended.npy"),
            progress=str(work / f"load-{share}.live"),
            summary=str(work / f"load-{share}.json"),
            share=share,
            shares=plan.senders,
            linger_ms=plan.linger_ms,
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


def _collector_plan(plan: StreamPlan, work: Path, explanations: ReceiverPlan | None) -> CollectorPlan:
    return CollectorPlan(
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


@dataclass(slots=True)
class Instruments:
    """The measuring processes of a stream."""

    loads: list[LoadProcess]
    collection: Collection
    start_file: Path
    explanations: ReceiverPlan | None
    investigators: Child | None = None

    @classmethod
    def start(cls, plan: StreamPlan, reach: Reach, topics: Topics, family: Family) -> "Instruments":
        """Start load and collection, and wait until they are ready."""
        work = reach.work
        explanations = _explanations(topics, plan, reach) if plan.records else None
        collecting = Collecting(
            taking(topics.decisions, plan.partitions, reach, work / "spool"),
            _collector_plan(plan, work, explanations),
            plan.collectors,
        )
        loads = _start_load(plan, reach, topics, family)
        collection = Collection.start(collecting, lambda name, module, plan: _start(name, module, plan, reach, family))
        investigators = None
        if plan.investigators is not None:
            wanted = plan.investigators(topics, reach)
            investigators = _start("investigators", "harness.aml.investigating", wanted, reach, family)
        following = [] if investigators is None else [investigators]
        for child in (*(load.child for load in loads), *collection.children, *following):
            child.await_line("ready", READY_S)
        return cls(loads, collection, work / "start", explanations, investigators)

    def figures(self) -> dict[str, int]:
        """The live figures, with what all load processes have sent."""
        return {**self.collection.live.get(), "sent": sum(load.live.get()["sent"] for load in self.loads)}

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

    def end_investigating(self, family: Family) -> None:
        """Let the investigators read to the end and send what is known by then: while the scorers still listen."""
        if self.investigators is None:
            return
        if family.stop(self.investigators, INVESTIGATED_S) != 0:
            raise self.investigators.failure()

    def finish(self, family: Family) -> tuple[dict[str, Any], dict[str, Any]]:
        """End the receivers, take the explanations, let the collector read to the end; returns the collector's and the
        load's counts. The scorers have ended: no explanation comes after this."""
        self.collection.end_receiving(family)
        if self.explanations is not None:
            take_topic(self.explanations, time.monotonic_ns, EXPLANATIONS_S)
        counts = self.collection.finish(family)
        for load in self.loads:
            family.stop(load.child)
        summaries = [json.loads(load.summary.read_bytes()) for load in self.loads]
        return counts, added_up(summaries)


def added_up(summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several load processes did together: counts added, the first error of any."""
    counts = ("sent", "side_sent", "fed_sent", "undelivered", "queue_full")
    errors = [summary["first_error"] for summary in summaries if summary["first_error"]]
    return {
        **{name: sum(int(summary[name]) for summary in summaries) for name in counts},
        "first_error": errors[0] if errors else None,
        "processes": list(summaries),
    }
