"""One run, from a scenario to a run folder: prepare, train, warm, start a broker, floor, stream, measure, judge."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq

from harness.aml.alerts import ALERTS_FILE
from harness.aml.investigating import plan_investigating
from harness.aml.monitoring import split_from
from harness.aml.sent_findings import SENT_FILE
from harness.aml.split import split_told
from harness.case import write_case
from harness.dead_letters import DEAD_LETTERS_FILE
from harness.drift.retraining.answering import OnDrift, answering, refuse_unanswerable
from harness.drift.retraining.keeping import keep_rollout, repeat_rollout
from harness.drifting import schedule_of
from harness.environment import describe_environment
from harness.faults.assess import Assessed, assess
from harness.faults.feeding import Feeding, in_order_of_sending
from harness.faults.plan import Planned, plan_faults
from harness.faults.staging import Staging, model_switch, proxy_for, refuse_impossible
from harness.findings import Ready, Streamed, find_results
from harness.flink import flink_home
from harness.floor import measure_floor
from harness.importance import importance_beside
from harness.inprocess import stream_inprocess
from harness.instruments import StreamPlan
from harness.interruption import interruptible
from harness.latency_results import Floor
from harness.opening import plan_records
from harness.origin import Origin
from harness.other_scorer import other_scorer
from harness.panel import display_for
from harness.prepare import prepare
from harness.prepared import Prepared
from harness.processes import Family
from harness.results import BrokerResults, Results, encode_results
from harness.run_report import write_report_of
from harness.run_topics import missing_topics
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.scorers import FlinkHome, Reach, ScorerSetup
from harness.shares.share import Share
from harness.shares.taking_part import TakingPart
from harness.steps import Steps
from harness.stream import StreamOutcome, stream_once
from harness.stream_feed import write_stream
from harness.tail import samples_told
from harness.training import Workshop, given_bundle, given_rules, read_bundle, train, warm
from streams.brokers import Broker, open_broker
from streams.brokers.connection import KafkaConnection, connection_from
from streams.brokers.control import ControlPlane, wait_until_ready
from streams.errors import BadInputError
from streams.topics import Topics

logger = logging.getLogger("riskbench.harness.run")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line adds to a scenario."""

    scenario: Scenario
    out: Path
    cache: Path
    bootstrap_servers: str | None = None
    kafka_config: Path | None = None
    topic_prefix: str | None = None
    keep_topics: bool = False
    report: bool = True
    floor: bool = True
    environ: Mapping[str, str] | None = None
    origin: Origin | None = None
    """An earlier run that is repeated; None: the scenario says of what the run is made."""
    share: Share | None = None
    """Which share of a stream that several hosts run; None: the whole."""
    on_drift: OnDrift | None = None
    """How drift is answered while the stream lasts; None: not at all."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Clock and randomness of a run."""

    now: Callable[[], datetime]
    token: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to its end."""

    folder: Path
    results: Results
    report: Path | None


class Run:
    """One run's options, folder and steps; its methods are the run's parts in order."""

    def __init__(self, options: RunOptions, folder: RunFolder, steps: Steps, outside: Outside) -> None:
        self.options, self.scenario, self.folder, self.steps = options, options.scenario, folder, steps
        self.outside = outside
        self.started_at = outside.now()
        self.feeding = Feeding(self.scenario.faults, self.scenario.seeds.faults)
        share = options.share
        self.taking = None if share is None else TakingPart(share, self.scenario, folder, outside.token(), steps.note)

    def _given_kafka(self) -> KafkaConnection | None:
        """The running Kafka that was named, if any."""
        servers = self.options.bootstrap_servers
        return connection_from(servers, self.options.kafka_config) if servers else None

    def reach_given_kafka(self) -> None:
        """Find out now, before a model is trained, whether a Kafka that was named answers and topics named are free."""
        connection, prefix = self._given_kafka(), self.options.topic_prefix
        if connection is None:
            return
        with self.steps.step(f"Reaching Kafka at {connection.bootstrap_servers}"):
            wait_until_ready(connection)
            if prefix is not None:
                with ControlPlane(connection) as control:
                    missing_topics(control, Topics(prefix, self.scenario.domain), self.scenario.load.partitions)

    def prepare(self) -> Ready:
        """Data, model and warm state."""
        scenario = self.scenario
        prepared = self._prepared()
        self._tell_split(prepared)
        other = other_scorer(
            scenario.scorer, self.steps.note, prepared.file("accounts") if scenario.domain == "aml" else None
        )
        if other is not None:
            return Ready(prepared, other, None, self._write_feed(prepared))
        bundle_dir = self._bundle(prepared)
        bundle = read_bundle(bundle_dir)
        rules = given_rules(scenario)
        state = self._state(prepared, bundle_dir, rules)
        scorer = scenario.scorer
        setup = ScorerSetup(
            flink=self._flink(),
            engine=scorer.engine,
            workers=scorer.workers,
            bundle=bundle_dir,
            rules=rules,
            state=state,
            explain=scorer.explain,
            breaker=scorer.breaker,
            nightly=scenario.domain == "fraud",
            checkpoint_every_s=scorer.checkpoint_every_s,
            pinned_to=tuple(scorer.pinned_to),
            event_days=(scorer.event_behind_days_max, scorer.event_ahead_days_max),
        )
        return Ready(prepared, setup, bundle, self._write_feed(prepared))

    def _flink(self) -> FlinkHome | None:
        """What engine flink runs in, if it is asked for."""
        if self.scenario.scorer.engine != "flink":
            return None
        with self.steps.step("Environment of engine flink") as say, self._workshop(say) as shop:
            return flink_home(shop)

    def _prepared(self) -> Prepared:
        scenario, origin, folder = self.scenario, self.options.origin, self.folder.work / "prepared"
        if origin is not None:
            with self.steps.step("Taking the events of the earlier run"):
                return origin.prepared(folder)
        with self.steps.step("Preparing events" if scenario.data else "Building the world"):
            prepared = prepare(scenario, self.options.cache)
            schedule = schedule_of(scenario, prepared.events, prepared.folder)
            if self.taking is not None:
                return self.taking.take(prepared, schedule)
            return in_order_of_sending(prepared, self.feeding.order(schedule), folder)

    def _tell_split(self, prepared: Prepared) -> None:
        split = split_from(prepared)
        for line in [] if split is None else split_told(split):
            self.steps.note(line)

    def _state(self, prepared: Prepared, bundle: Path, rules: Path) -> Path:
        origin = self.options.origin
        if origin is not None and origin.state is not None:
            return origin.state
        with self.steps.step("Warming the features on history") as say, self._workshop(say) as shop:
            return warm(self.scenario, prepared, bundle, rules, shop)[0]

    def _bundle(self, prepared: Prepared) -> Path:
        given = given_bundle(self.scenario)
        if given is not None:
            return given
        if not prepared.labelled:
            raise BadInputError(
                f"{prepared.facts['source']}: the data has no labels to train on; give a bundle with --bundle DIR"
            )
        with self.steps.step("Training the model") as say, self._workshop(say) as shop:
            return train(self.scenario, prepared, shop)

    @contextmanager
    def _workshop(self, say: Callable[[str], None]) -> Iterator[Workshop]:
        with Family() as family:
            yield Workshop(self.options.cache, self.folder.path / "logs", family, say)

    def _write_feed(self, prepared: Prepared) -> int:
        """Encode what will be sent; returns the first measured ordinal."""
        with self.steps.step("Encoding the stream"):
            schedule = write_stream(self.folder, self.scenario, prepared, self.feeding, self.taking)
        measured_from = int(np.searchsorted(schedule, round(self.scenario.load.warmup_s * 1e9)))
        self.steps.note(samples_told(len(schedule) - measured_from, self.scenario.slo.response_p99_ms))
        return measured_from

    def plan_faults(self, ready: Ready) -> list[Planned]:
        """When each fault begins."""
        scenario = self.scenario
        schedule = np.load(self.folder.work / "feed" / "schedule.npy")
        times = pq.read_table(ready.prepared.file("events"), columns=["event_time_ns"])["event_time_ns"].to_numpy()
        return plan_faults(scenario.faults, scenario.seeds.faults, schedule, times)

    def plan(self, ready: Ready, faults: Staging | None = None) -> StreamPlan:
        """The measured stream."""
        feed, investigated = self.folder.work / "feed", self.scenario.domain == "aml" and ready.prepared.labelled
        return StreamPlan(
            title=f"{self.scenario.name} on {ready.setup.engine}",
            feed=feed,
            events=ready.prepared.file("events"),
            dispositions=ready.prepared.file("dispositions"),
            partitions=self.scenario.load.partitions,
            timeout_s=self.scenario.measure.event_timeout_s,
            measured_from=ready.measured_from,
            decisions=self.folder.path / "decisions.parquet",
            letters=self.folder.path / DEAD_LETTERS_FILE,
            senders=self.scenario.load.senders,
            collectors=self.scenario.load.collectors,
            linger_ms=self.scenario.load.lingers_ms,
            records=plan_records(
                self.folder.path, ready.setup, ready.bundle, self.scenario.scorer.explain, self.started_at
            ),
            faults=faults,
            alerts=self.folder.path / ALERTS_FILE if self.scenario.domain == "aml" else None,
            investigators=plan_investigating(self.scenario, ready.prepared, feed) if investigated else None,
            findings=self.folder.work / SENT_FILE if investigated else None,
            sharing=None if self.taking is None else self.taking.sharing,
        )

    def stream(self, ready: Ready) -> Streamed:
        """Through a broker, or in process; what decides is kept first."""
        write_case(self.folder.path, ready.setup, ready.prepared)
        # the model is changed as in the run that is repeated, unless drift is answered anew
        plan = None if self.options.origin is None or self.options.on_drift else self.options.origin.rollout
        rollout = None if plan is None else repeat_rollout(plan, self.folder.path, self.folder.work)
        if rollout is not None:
            ready = replace(ready, setup=replace(ready.setup, rollout_control=rollout))
        faults = self.scenario.faults
        with model_switch(faults, self.folder.work) as switch, proxy_for(faults) as proxy:
            staging = Staging(self.plan_faults(ready), switch, proxy=proxy)
            if switch is not None:
                ready = replace(ready, setup=replace(ready.setup, fault_control=switch.path))
            if ready.setup.engine == "inprocess":
                outcome = self._stream_inprocess(ready, staging)
                none = BrokerResults(name="none", version=None, start_s=None, memory_bytes=None, warning=None)
                return Streamed(outcome, None, none)
            return self._stream_through_broker(ready, staging)

    def _stream_inprocess(self, ready: Ready, staging: Staging) -> StreamOutcome:
        plan, folder, asked = self.plan(ready, staging), self.folder, self.options.on_drift
        if asked is None:
            return stream_inprocess(plan, ready.setup, folder, self.steps)
        around = (self.scenario, ready.prepared, ready.setup, folder, self.options.cache)
        with answering(asked, *around, self.steps.note) as attendant:
            outcome = stream_inprocess(plan, ready.setup, folder, self.steps, attendant)
        keep_rollout(attendant.steps, folder.path)
        return replace(outcome, answers=attendant.course.answers)

    def _reach(self, broker: Broker, name: str, staging: Staging) -> Reach:
        stamp = f"{self.started_at.astimezone(UTC):%Y%m%d-%H%M%S}"
        prefix = (self.options.topic_prefix or f"{self.scenario.name}-{stamp}-{self.outside.token()}") + name
        return Reach(
            bootstrap_servers=broker.connection.bootstrap_servers,
            kafka_config=self.options.kafka_config,
            prefix=prefix,
            domain=self.scenario.domain,
            work=self.folder.work / f"stream{name}",
            logs=self.folder.path / "logs" / "floor" if name else self.folder.path / "logs",
            scorer_servers=staging.proxy.address if staging.proxy else None,
            joins_one_by_one=broker.info.joins_one_by_one,
            broker_pid=broker.info.pid,
            settle_broker=broker.settle,
        )

    def _stream_through_broker(self, ready: Ready, staging: Staging) -> Streamed:
        options, scenario = self.options, self.scenario
        connection = self._given_kafka()
        with self.steps.step("Starting a broker" if connection is None else "Reaching Kafka") as say:
            broker = open_broker(
                None if scenario.broker == "auto" else scenario.broker,
                run_dir=self.folder.work / "broker",
                cache_dir=options.cache,
                connection=connection,
                environ=options.environ,
                progress=lambda what, done, of: say(f"{what} {done}/{of}"),
                proxied_port=staging.proxy.port if staging.proxy else None,
            )
        with broker:
            info = broker.start()
            staging = staging.on(broker)
            if info.warning:
                self.steps.warn(info.warning)
            floor = self._floor(ready, broker, staging) if options.floor and scenario.measure.floor_s else None
            plan, reach = self.plan(ready, staging), self._reach(broker, "", staging)
            display = display_for(self.steps.console)
            outcome = stream_once(plan, ready.setup, reach, broker.connection, display, keep=options.keep_topics)
            if options.keep_topics:
                self.steps.note(f"Topics kept: {reach.prefix}.*")
            memory = broker.memory_bytes()
        used = BrokerResults(
            name=info.name,
            version=info.version,
            start_s=round(info.start_s, 3),
            memory_bytes=memory,
            warning=info.warning,
        )
        return Streamed(outcome, floor, used)

    def _floor(self, ready: Ready, broker: Broker, staging: Staging) -> Floor:
        with self.steps.step("Measuring the floor (null scorer)"):
            reach = self._reach(broker, "-floor", staging)
            return measure_floor(self.plan(ready), self.scenario, self.folder, reach, broker.connection)

    @contextmanager
    def finding_drivers(self, ready: Ready) -> Iterator[None]:
        """Meanwhile what drives the model is found, for the report; without it the run is as good."""
        if ready.bundle is None or not self.options.report:
            yield
            return
        of, seed = (ready.setup.bundle, self.folder.path), self.scenario.seeds.training
        with self._workshop(lambda _: None) as shop, importance_beside(*of, seed, shop, self.steps.warn):
            yield

    def assess_faults(self, ready: Ready, outcome: StreamOutcome) -> Assessed | None:
        """What came of the faults; None without any."""
        if not self.scenario.faults:
            return None
        with self._workshop(lambda _: None) as shop:
            planned = self.plan_faults(ready)
            feed = self.folder.work / "feed"
            return assess(self.scenario, ready.prepared, outcome, planned, self.folder.path, feed, shop)

    def measure(self, ready: Ready, streamed: Streamed) -> Results:
        """Everything that is said about the run."""
        assessed = self.assess_faults(ready, streamed.outcome)
        found = find_results(self.scenario, self.folder, self.started_at, ready, streamed, assessed)
        return found if self.taking is None else self.taking.named(found)


def _carry_out(options: RunOptions, folder: RunFolder, steps: Steps, outside: Outside) -> Finished:
    run = Run(options, folder, steps, outside)
    folder.write("scenario.yaml", options.scenario.to_yaml())
    environment = msgspec.json.encode(describe_environment())
    folder.write("environment.json", msgspec.json.format(environment, indent=2).decode() + "\n")
    run.reach_given_kafka()
    ready = run.prepare()
    streamed = run.stream(ready)
    if run.taking is not None:
        run.taking.keep(streamed.outcome)
    with steps.step("Measuring"), run.finding_drivers(ready):
        results = run.measure(ready, streamed)
        folder.write("results.json", encode_results(results))
    if options.origin is not None:
        with steps.step("Comparing the decisions"):
            options.origin.conclude(folder, results)
    report = write_report_of(folder, steps) if options.report else None
    folder.complete()
    return Finished(folder.path, results, report)


def carry_out(options: RunOptions, steps: Steps, outside: Outside) -> Finished:
    """Run. Whatever goes wrong, the folder stays marked with the reason, and no process is left.

    Raises RiskbenchError for what the person can act on, Interrupted when asked to stop.
    """
    refuse_impossible(options.scenario, given_kafka=options.bootstrap_servers is not None)
    if options.on_drift is not None:
        refuse_unanswerable(options.scenario)
    folder = RunFolder.create(options.out, options.scenario.name, outside.now())
    with interruptible():
        try:
            return _carry_out(options, folder, steps, outside)
        except BaseException as error:
            folder.mark(f"{type(error).__name__}: {error}")
            folder.clear_work()
            logger.debug("run in %s ended early", folder.path, exc_info=True)
            raise
