"""One run, from a scenario to a run folder: prepare, train, warm, start a broker, floor, stream, measure, judge."""

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq

from harness import measures
from harness.case import write_case
from harness.environment import describe_environment
from harness.explanations import EXPLANATIONS_FILE
from harness.feed import write_feed
from harness.floor import measure_floor
from harness.hgrm import HGRM_TAGS, write_hgrm
from harness.importance import write_importance
from harness.inprocess import stream_inprocess
from harness.instruments import StreamPlan
from harness.interruption import interruptible
from harness.latency import measure_latency
from harness.opening import plan_records, utc
from harness.other_scorer import other_scorer
from harness.panel import display_for
from harness.prepare import Prepared, prepare, scheduled
from harness.processes import Family
from harness.results import (
    SCHEMA_VERSION,
    BrokerResults,
    Floor,
    ModelResults,
    Results,
    encode_results,
)
from harness.run_topics import missing_topics
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.scorers import Reach, ScorerSetup
from harness.steps import Steps
from harness.stream import StreamOutcome, stream_once
from harness.tail import measure_tail, samples_told
from harness.timeline import build_timeline
from harness.training import Workshop, given_bundle, given_rules, read_bundle, train, warm
from harness.verdict import Judged, judge
from harness.waterfall import measure_waterfall
from streams.brokers import open_broker
from streams.brokers.connection import KafkaConnection, connection_from
from streams.brokers.control import ControlPlane, wait_until_ready
from streams.errors import BadInputError, RiskbenchError
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


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything a stream needs that does not depend on a broker."""

    prepared: Prepared
    setup: ScorerSetup
    bundle: dict[str, Any] | None
    measured_from: int


@dataclass(frozen=True, slots=True)
class Streamed:
    """A stream's outcome, the floor beside it, and the broker both went through."""

    outcome: StreamOutcome
    floor: Floor | None
    broker: BrokerResults


class Run:
    """One run's options, folder and steps; its methods are the run's parts in order."""

    def __init__(self, options: RunOptions, folder: RunFolder, steps: Steps, outside: Outside) -> None:
        self.options, self.scenario, self.folder, self.steps = options, options.scenario, folder, steps
        self.outside = outside
        self.started_at = outside.now()

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
                    missing_topics(control, Topics(prefix), self.scenario.load.partitions)

    def prepare(self) -> Ready:
        """Data, model and warm state."""
        scenario = self.scenario
        with self.steps.step("Preparing events" if scenario.data else "Building the world"):
            prepared = prepare(scenario, self.options.cache)
        other = other_scorer(scenario.scorer, self.steps.note)
        if other is not None:
            return Ready(prepared, other, None, self._write_feed(prepared))
        bundle_dir = self._bundle(prepared)
        bundle = read_bundle(bundle_dir)
        rules = given_rules(scenario)
        with self.steps.step("Warming the features on history") as say, self._workshop(say) as shop:
            state, _ = warm(prepared, bundle_dir, rules, shop)
        scorer = scenario.scorer
        setup = ScorerSetup(
            engine=scorer.engine,
            workers=scorer.workers,
            bundle=bundle_dir,
            rules=rules,
            state=state,
            explain=scorer.explain,
            breaker=scorer.breaker,
            nightly=True,
            checkpoint_every_s=scorer.checkpoint_every_s,
        )
        return Ready(prepared, setup, bundle, self._write_feed(prepared))

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
            events = pq.read_table(prepared.file("events"))
            load, seed = self.scenario.load, self.scenario.seeds.arrivals
            schedule = scheduled(load, seed, len(events))
            write_feed(self.folder.work / "feed", events, pq.read_table(prepared.file("dispositions")), schedule)
            for name in ("events", "labels", "profiles"):
                if prepared.file(name).is_file():
                    shutil.copyfile(prepared.file(name), self.folder.path / f"{name}.parquet")
        measured_from = int(np.searchsorted(schedule, round(load.warmup_s * 1e9)))
        self.steps.note(samples_told(len(schedule) - measured_from, self.scenario.slo.response_p99_ms))
        return measured_from

    def plan(self, ready: Ready) -> StreamPlan:
        """The measured stream."""
        return StreamPlan(
            title=f"{self.scenario.name} on {ready.setup.engine}",
            feed=self.folder.work / "feed",
            events=ready.prepared.file("events"),
            dispositions=ready.prepared.file("dispositions"),
            partitions=self.scenario.load.partitions,
            timeout_s=self.scenario.measure.event_timeout_s,
            measured_from=ready.measured_from,
            decisions=self.folder.path / "decisions.parquet",
            senders=self.scenario.load.senders,
            records=plan_records(
                self.folder.path, ready.setup, ready.bundle, self.scenario.scorer.explain, self.started_at
            ),
        )

    def stream(self, ready: Ready) -> Streamed:
        """Through a broker, or in process; what decides is kept first."""
        write_case(self.folder.path, ready.setup, ready.prepared.file("dispositions"))
        if ready.setup.engine == "inprocess":
            outcome = stream_inprocess(self.plan(ready), ready.setup, self.folder, self.steps)
            none = BrokerResults(name="none", version=None, start_s=None, memory_bytes=None, warning=None)
            return Streamed(outcome, None, none)
        return self._stream_through_broker(ready)

    def _reach(self, connection: KafkaConnection, name: str) -> Reach:
        stamp = f"{self.started_at.astimezone(UTC):%Y%m%d-%H%M%S}"
        prefix = (self.options.topic_prefix or f"{self.scenario.name}-{stamp}-{self.outside.token()}") + name
        return Reach(
            bootstrap_servers=connection.bootstrap_servers,
            kafka_config=self.options.kafka_config,
            prefix=prefix,
            work=self.folder.work / f"stream{name}",
            logs=self.folder.path / "logs" / "floor" if name else self.folder.path / "logs",
        )

    def _stream_through_broker(self, ready: Ready) -> Streamed:
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
            )
        with broker:
            info = broker.start()
            if info.warning:
                self.steps.warn(info.warning)
            floor = self._floor(ready, broker.connection) if options.floor and scenario.measure.floor_s else None
            plan, reach = self.plan(ready), self._reach(broker.connection, "")
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

    def _floor(self, ready: Ready, connection: KafkaConnection) -> Floor:
        with self.steps.step("Measuring the floor (null scorer)"):
            reach = self._reach(connection, "-floor")
            return measure_floor(self.plan(ready), self.scenario, self.folder, reach, connection)

    def find_drivers(self, ready: Ready) -> None:
        """What drives the model, for the report; without it the run is as good, and the report says that it lacks."""
        if ready.bundle is None or not self.options.report:
            return
        try:
            with self.steps.step("Finding what drives the model") as say, self._workshop(say) as shop:
                write_importance(ready.setup.bundle, self.folder.path, self.scenario.seeds.training, shop)
        except RiskbenchError as error:
            self.steps.warn(f"The report will not show what drives the model: {error}")

    def measure(self, ready: Ready, streamed: Streamed) -> Results:
        """Everything that is said about the run."""
        scenario, outcome, prepared = self.scenario, streamed.outcome, ready.prepared
        log = measure_latency(outcome.decisions, outcome.start_ns, self.folder.path / "latency.hlog")
        timeline = build_timeline(outcome.decisions, outcome.start_ns, outcome.samples)
        pq.write_table(timeline, self.folder.path / "timeline.parquet")
        events = pq.read_table(prepared.file("events"), columns=["event_time_ns"])
        decisions = pq.read_table(outcome.decisions)
        held = measures.Held(
            schedule=np.load(self.folder.work / "feed" / "schedule.npy"),
            sent_ns=outcome.sent_ns,
            start_ns=outcome.start_ns,
            measured_from=ready.measured_from,
        )
        times = events["event_time_ns"].to_numpy()
        span_ns = int(times[-1] - times[0]) if len(times) else 0
        key_codes = np.load(self.folder.work / "feed" / "key_codes.npy")
        senders = measures.sender_results(held, key_codes, scenario.load.senders)
        load = measures.load_results(scenario, held, events, log, senders)
        counts = measures.count_results(outcome, held)
        write_hgrm(self.folder.path, ((tag, log.series[tag].total) for tag in HGRM_TAGS if tag in log.series))
        tail = measure_tail(outcome.decisions, scenario.slo.response_p99_ms)
        explaining = measures.explanation_latency(self.folder.path / EXPLANATIONS_FILE)
        waterfall = measure_waterfall(outcome.decisions, outcome.appended_ns)
        latency = measures.latency_results(log, streamed.floor, explaining, tail, waterfall)
        quality = measures.quality_results(scenario, prepared, decisions, counts.sent, self.folder.path)
        drift = measures.drift_results(scenario, decisions, ready.bundle, ready.setup.state, span_ns)
        return Results(
            schema_version=SCHEMA_VERSION,
            scenario=scenario.name,
            engine=ready.setup.engine,
            workers=ready.setup.workers,
            broker=streamed.broker,
            seeds=scenario.seeds.model_dump(),
            started_at=utc(self.started_at),
            verdict=judge(Judged(scenario.slo, load, counts, latency, quality, drift)),
            load=load,
            counts=counts,
            latency_ms=latency,
            quality=quality,
            drift=drift,
            breaker=measures.breaker_results(outcome),
            faults=[],
            model=None if ready.bundle is None else _model(ready.bundle),
            slo=scenario.slo.model_dump(),
            scorers=outcome.scorers,
            dataset=str(prepared.facts["source"]) if scenario.data else None,
            config=scenario.model_dump(mode="json"),
            audit=measures.audit_results(outcome),
            processes=measures.process_results(outcome, counts.sent),
        )


def _model(bundle: Mapping[str, Any]) -> ModelResults:
    return ModelResults(
        version=str(bundle.get("model_version", "")),
        data_hash=str(bundle.get("data_hash", "")),
        metrics=dict(bundle.get("metrics", {})),
        imbalance=dict(bundle.get("imbalance", {})),
        thresholds=dict(bundle.get("thresholds", {})),
    )


def _write_report(folder: RunFolder, steps: Steps) -> Path:
    from harness.report.html import write_report  # noqa: PLC0415 - its plotting library is slow to import

    with steps.step("Writing the report"):
        written: Path = write_report(folder.path)
    return written


def _carry_out(options: RunOptions, folder: RunFolder, steps: Steps, outside: Outside) -> Finished:
    run = Run(options, folder, steps, outside)
    folder.write("scenario.yaml", options.scenario.to_yaml())
    environment = msgspec.json.encode(describe_environment())
    folder.write("environment.json", msgspec.json.format(environment, indent=2).decode() + "\n")
    run.reach_given_kafka()
    ready = run.prepare()
    streamed = run.stream(ready)
    run.find_drivers(ready)
    with steps.step("Measuring"):
        results = run.measure(ready, streamed)
        folder.write("results.json", encode_results(results))
    report = _write_report(folder, steps) if options.report else None
    folder.complete()
    return Finished(folder.path, results, report)


def carry_out(options: RunOptions, steps: Steps, outside: Outside) -> Finished:
    """Run. Whatever goes wrong, the folder stays marked with the reason, and no process is left.

    Raises RiskbenchError for what the person can act on, Interrupted when asked to stop.
    """
    folder = RunFolder.create(options.out, options.scenario.name, outside.now())
    with interruptible():
        try:
            return _carry_out(options, folder, steps, outside)
        except BaseException as error:
            folder.mark(f"{type(error).__name__}: {error}")
            folder.clear_work()
            logger.debug("run in %s ended early", folder.path, exc_info=True)
            raise
