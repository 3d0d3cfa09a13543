"""The system under test, started and watched from outside: its processes, what they say of themselves, their end."""

import json
import logging
import shlex
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.external import ExternalScorer, Pace
from harness.late_scores import late_scores_file
from harness.processes import Child, Family, await_file, command_apart, module_command
from harness.scenario import Breaker
from streams.brokers.connection import KafkaConnection, connection_from
from streams.brokers.control import ControlPlane
from streams.brokers.groups import Groups
from streams.errors import BadInputError
from streams.priority import give_way
from streams.topics import Domain, Topics

logger = logging.getLogger("riskbench.harness.scorers")
READY_S = 120.0
STOP_S = 45.0
"""Enough for what still has to be explained."""
POLL_S = 0.1
HEALTH_S = 2.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # our own processes are behind no proxy


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the topics are, and where the processes write."""

    bootstrap_servers: str
    kafka_config: Path | None
    prefix: str
    work: Path
    logs: Path
    scorer_servers: str | None = None
    """Where the scorer finds the Kafka, if not where the instrument does: at a proxy in front of it."""
    domain: Domain = "fraud"
    joins_one_by_one: bool = False
    """Whether a worker is started only once the one before has its share: see `BrokerInfo`."""
    broker_pid: int | None = None
    """The broker's process, where it runs on this machine for the run."""
    settle_broker: Callable[[], None] = _nothing
    """Lets the broker clear up behind itself before the stream begins."""

    @property
    def servers(self) -> str:
        """Where the scorer finds the Kafka."""
        return self.scorer_servers or self.bootstrap_servers

    @property
    def topics(self) -> Topics:
        """The stream's topics."""
        return Topics(self.prefix, self.domain)

    @property
    def group(self) -> str:
        """The workers' consumer group."""
        return f"{self.prefix}.scorer"

    @property
    def connection(self) -> KafkaConnection:
        """How to reach the Kafka."""
        return connection_from(self.bootstrap_servers, self.kafka_config)


@dataclass(frozen=True, slots=True)
class OwnScorer:
    """A scorer that is not ours, started by its own command and told the topics by placeholders in it.

    Known placeholders: {bootstrap_servers}, {events}, {decisions}, {explanations}, {group}, {ready}, and of transfers
    {alerts} and {accounts} (a Parquet file, `accounts`). A command that takes {ready} (a path) creates that file once
    it can take events; another one is given `settle_s` seconds.
    """

    command: str
    settle_s: float
    accounts: Path | None = None

    def arguments(self, reach: Reach, ready: Path) -> list[str]:
        """The command's words; raises BadInputError for a placeholder nobody knows."""
        topics = reach.topics
        places = {
            "bootstrap_servers": reach.servers,
            "events": topics.events,
            "decisions": topics.decisions,
            "explanations": topics.explanations,
            "group": reach.group,
            "ready": str(ready),
            **({"alerts": topics.alerts} if reach.domain == "aml" else {}),
            **({"accounts": str(self.accounts)} if self.accounts else {}),
        }
        try:
            return [word.format(**places) for word in shlex.split(self.command)]
        except (KeyError, IndexError, ValueError) as error:
            known = ", ".join(f"{{{name}}}" for name in places)
            raise BadInputError(
                f"--scorer-command {self.command!r}: {error} is not known; known are {known}"
            ) from error

    @property
    def tells_ready(self) -> bool:
        """Whether it says by itself when it can take events."""
        return "{ready}" in self.command


@dataclass(frozen=True, slots=True)
class FlinkHome:
    """The Python of an environment with PyFlink, and the jar of Flink's Kafka connector."""

    python: Path
    connector: Path


@dataclass(frozen=True, slots=True)
class ScorerSetup:
    """How the workers are started. `state` is the warm state directory; by `fault_control`, a file, the model is made
    to fail on purpose; by `rollout_control`, a plan (`streams.rollout`), it is changed while events go on."""

    engine: str
    workers: int
    bundle: Path
    rules: Path | None
    state: Path | None
    explain: str
    breaker: Breaker
    nightly: bool
    own: OwnScorer | None = None
    external: ExternalScorer | None = None
    fault_control: Path | None = None
    rollout_control: Path | None = None
    checkpoint_every_s: float = 0.0
    """How often the workers keep their state; 0: never."""
    flink: FlinkHome | None = None
    """What the workers of engine flink run in."""
    event_days: tuple[int, int] | None = None
    """How many days an event may lie behind the stream and ahead of it; None: as the scorer thinks best."""

    pinned_to: tuple[int, ...] = ()
    """Processors that the workers are held to, one each, in turn; none: the system moves them as it likes."""

    @property
    def ours(self) -> bool:
        """Whether it is our scorer, of which bundle, rules and state are known."""
        return self.own is None and self.external is None


def breaker_options(breaker: Breaker) -> list[str]:
    """The breaker's settings as the scorer's options."""
    return [
        part
        for name, value in breaker.model_dump(exclude_none=True).items()
        for part in (f"--breaker-{name.replace('_', '-')}", str(value))
    ]


def scorer_options(setup: ScorerSetup) -> list[str]:
    """Options that every engine takes, broker or not."""
    options = ["--bundle", str(setup.bundle), "--state", str(setup.state), "--explain", setup.explain]
    if setup.rules is not None:
        options += ["--rules", str(setup.rules)]
    if setup.fault_control is not None:
        options += ["--fault-control", str(setup.fault_control)]
    if setup.rollout_control is not None:
        options += ["--rollout-control", str(setup.rollout_control)]
    if setup.event_days is not None:
        behind, ahead = setup.event_days
        options += ["--event-behind-days-max", str(behind), "--event-ahead-days-max", str(ahead)]
    return [*options, *breaker_options(setup.breaker)]


def checkpoint_options(setup: ScorerSetup, reach: Reach) -> list[str]:
    """How a worker on a broker keeps its state, by which one that is started again goes on."""
    if setup.engine not in ("faust", "native") or not setup.checkpoint_every_s:
        return []
    folder = str(reach.work / "checkpoints")
    return ["--checkpoint-dir", folder, "--checkpoint-every-s", str(max(setup.checkpoint_every_s, 0.1))]


def pinning_options(setup: ScorerSetup, name: str) -> list[str]:
    """The processor of the worker with this name (`worker-1`, …), where it is to have one."""
    if not setup.pinned_to:
        return []
    place = int(name.rpartition("-")[2]) - 1
    return ["--cpu", str(setup.pinned_to[place % len(setup.pinned_to)])]


def _command(setup: ScorerSetup, reach: Reach, role: str, name: str) -> list[str]:
    options = [
        "--engine",
        setup.engine,
        "--role",
        role,
        "--bootstrap-servers",
        reach.servers,
        "--prefix",
        reach.prefix,
        "--domain",
        reach.domain,
        "--group",
        reach.group if role == "worker" else f"{reach.prefix}.nightly",
        "--worker-id",
        name,
        "--ready-file",
        str(reach.work / f"{name}.ready"),
        "--summary",
        str(reach.work / f"{name}.summary"),
        *(["--kafka-config", str(reach.kafka_config)] if reach.kafka_config else []),
        *(scorer_options(setup) if setup.engine != "null" else []),
        *(["--late-scores", str(late_scores_file(reach.logs, name))] if role == "worker" else []),
        *(checkpoint_options(setup, reach) if role == "worker" else []),
        *(pinning_options(setup, name) if role == "worker" else []),
    ]
    if setup.flink is not None and role == "worker":
        return command_apart(setup.flink.python, "scorer", *options, "--flink-connector", str(setup.flink.connector))
    return module_command("scorer", *options)


@dataclass(slots=True)
class Worker:
    """A started scorer process; `address` is known once it is ready."""

    name: str
    role: str
    child: Child
    ready: Path
    summary: Path
    address: str | None = None
    command: list[str] = field(default_factory=list)
    """How it was started, to start it again."""

    def take_address(self) -> None:
        """Learn from its ready file where it answers."""
        ready = json.loads(self.ready.read_bytes())
        if ready.get("port"):
            self.address = f"{ready.get('host', '127.0.0.1')}:{ready['port']}"

    def health(self) -> dict[str, Any] | None:
        """What it says of itself now; None when it does not answer."""
        if self.address is None and self.ready.exists() and self.child.running:  # started again
            self.take_address()
        if self.address is None:
            return None
        try:
            with _DIRECT.open(f"http://{self.address}/health", timeout=HEALTH_S) as answer:
                found = json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def last_summary(self) -> dict[str, Any] | None:
        """What it left behind when it ended."""
        try:
            found = json.loads(self.summary.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return {"worker": self.name, "role": self.role, **found} if isinstance(found, dict) else None


def _start_own(own: OwnScorer, reach: Reach, family: Family) -> Worker:
    ready = reach.work / "own.ready"
    command = own.arguments(reach, ready)
    child = family.start("own scorer", command, reach.logs / "scorer-own.log")
    return Worker("own", "own", child, ready, reach.work / "own.summary", command=command)


def _start_ours(setup: ScorerSetup, reach: Reach, family: Family, role: str, name: str) -> Worker:
    command = _command(setup, reach, role, name)
    child = family.start(f"scorer {name}", command, reach.logs / f"scorer-{name}.log")
    if role == "nightly":
        give_way(child.process.pid)
    ready, summary = reach.work / f"{name}.ready", reach.work / f"{name}.summary"
    return Worker(name, role, child, ready, summary, command=command)


@dataclass(slots=True)
class Scorers:
    """All processes of the scorer system; none where it is `external`."""

    workers: list[Worker] = field(default_factory=list)
    settle_s: float = 0.0
    """Time that is given to a scorer that does not say when it is ready."""
    group: str = ""
    """The consumer group that reads the events, where it is known."""
    external: ExternalScorer | None = None
    reach: Reach | None = None
    ended: list[dict[str, Any]] = field(default_factory=list)
    """The last words of workers that were killed on purpose."""

    @classmethod
    def start(cls, setup: ScorerSetup, reach: Reach, family: Family) -> "Scorers":
        """Start the workers, and the nightly job where there is one; or the scorer that is not ours; or nothing, if
        somebody else does."""
        if setup.external is not None:
            return cls(external=setup.external, reach=reach)
        if setup.own is not None:
            settle_s = 0.0 if setup.own.tells_ready else setup.own.settle_s
            beside = [_start_ours(setup, reach, family, "nightly", "nightly")] if setup.nightly else []
            return cls([_start_own(setup.own, reach, family), *beside], settle_s=settle_s, group=reach.group)
        names = [("worker", f"worker-{n + 1}") for n in range(setup.workers)]
        if setup.nightly:
            names.append(("nightly", "nightly"))
        started = []
        for role, name in names:
            worker = _start_ours(setup, reach, family, role, name)
            started.append(worker)
            if reach.joins_one_by_one and name != names[-1][1]:
                await_file(worker.ready, worker.child, family, READY_S)
        return cls(started, group=reach.group)

    def _await_joined(self, external: ExternalScorer, reach: Reach, family: Family) -> None:
        topics, connection = reach.topics, reach.connection
        with ControlPlane(connection) as control:
            partitions = len(control.partitions(topics.events))
        external.introduce(topics, reach.servers, partitions)
        found = external.await_joined(Groups(connection), topics.events, partitions, Pace(check=family.check))
        self.group = found or ""

    def await_ready(self, family: Family) -> None:
        """Wait for every ready file, or for the external scorer's joining; raises with a process's own words when it
        ends instead."""
        if self.external is not None and self.reach is not None:
            self._await_joined(self.external, self.reach, family)
            return
        if self.settle_s:
            settled = time.monotonic() + self.settle_s
            while time.monotonic() < settled:
                family.check()
                time.sleep(POLL_S)
            return
        for worker in self.workers:
            if worker.role == "own":
                await_file(worker.ready, worker.child, family, READY_S)
                continue
            await_file(worker.ready, worker.child, family, READY_S)
            worker.take_address()

    @property
    def deciding(self) -> int:
        """How many workers can say how they are (a scorer of one's own cannot)."""
        return sum(worker.role == "worker" for worker in self.workers)

    def pids(self) -> dict[str, int]:
        """The processes by name, as they run now."""
        return {worker.child.name: worker.child.process.pid for worker in self.workers}

    def health(self) -> list[dict[str, Any]]:
        """What the workers (not the nightly job) say now."""
        found = [worker.health() for worker in self.workers if worker.role == "worker"]
        return [health for health in found if health is not None]

    def stop(self, family: Family) -> list[dict[str, Any]]:
        """Ask all to end, wait, and read their summaries. An external scorer is not ended: what it still explains is
        waited for."""
        if self.external is not None and self.reach is not None:
            topic, pace = self.reach.topics.explanations, Pace(check=family.check)
            with ControlPlane(self.reach.connection) as control:
                self.external.await_explained(lambda: sum(control.end_offsets(topic).values()), pace)
        # others were killed on purpose
        running = [worker for worker in self.workers if worker.child in family.children]
        for worker in running:
            worker.child.ask_to_end()
        for worker in running:
            code = family.stop(worker.child, STOP_S)
            if code != 0 and worker.role != "own":
                logger.warning("%s ended with %s; see %s", worker.child.name, code, worker.child.log)
        return self.ended + [summary for summary in (worker.last_summary() for worker in self.workers) if summary]


def worst_breaker(healths: Sequence[dict[str, Any]]) -> str | None:
    """The most troubled breaker state of several workers."""
    order = ("disabled", "closed", "half-open", "open", "forced-open")
    states = [health["breaker"]["state"] for health in healths if isinstance(health.get("breaker"), dict)]
    return max(states, key=lambda state: order.index(state) if state in order else len(order), default=None)
