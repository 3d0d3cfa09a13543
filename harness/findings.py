"""From a stream that has ended to everything that is said about its run."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq

from harness import measures
from harness.aml.monitoring import Watched, monitor
from harness.aml.results import AmlResults
from harness.aml.sent_findings import SENT_FILE, SentFindings
from harness.explanations import EXPLANATIONS_FILE
from harness.faults.assess import Assessed
from harness.hgrm import HGRM_TAGS, write_hgrm
from harness.latency import measure_latency
from harness.latency_results import Floor
from harness.opening import utc
from harness.prepared import Prepared
from harness.results import SCHEMA_VERSION, BrokerResults, Results
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.scorers import ScorerSetup
from harness.stream import StreamOutcome
from harness.tail import measure_tail
from harness.timeline import build_timeline
from harness.verdict import Judged, judge
from harness.waterfall import measure_waterfall
from streams.stored_rows import StoredRows


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


def find_results(
    scenario: Scenario,
    folder: RunFolder,
    started_at: datetime,
    ready: Ready,
    streamed: Streamed,
    assessed: Assessed | None,
) -> Results:
    """Measure and judge a run whose stream has ended; `assessed` is what is said of its faults, where it had any."""
    outcome, prepared = streamed.outcome, ready.prepared
    held = _held(folder, outcome, ready.measured_from)
    log = measure_latency(outcome.decisions, outcome.start_ns, folder.path / "latency.hlog")
    timeline = build_timeline(outcome.decisions, outcome.start_ns, outcome.samples)
    pq.write_table(timeline, folder.path / "timeline.parquet")
    happened, decisions = measures.Happened.of(prepared.file("events")), StoredRows(outcome.decisions)
    feed = folder.work / "feed"
    senders = measures.sender_results(held, np.load(feed / "key_codes.npy", mmap_mode="r"), scenario.load.senders)
    sizes = measures.Sizes.of(feed, outcome.counts)
    load = measures.load_results(scenario, held, happened, log, senders, sizes)
    faults, steady = (assessed.faults, assessed.steady) if assessed else ([], None)
    counts = measures.count_results(outcome, held, faults)
    write_hgrm(folder.path, ((tag, log.series[tag].total) for tag in HGRM_TAGS if tag in log.series))
    tail = measure_tail(outcome.decisions, scenario.slo.response_p99_ms)
    explaining = measures.explanation_latency(folder.path / EXPLANATIONS_FILE)
    waterfall = measure_waterfall(outcome.decisions, outcome.appended_ns)
    latency = measures.latency_results(log, streamed.floor, explaining, tail, waterfall)
    found = SentFindings.read(folder.work / SENT_FILE)
    watched = Watched(prepared, decisions, counts.sent, ready.setup.state, folder.path, found)
    quality, aml = _right(scenario, watched)
    drift = measures.drift_results(scenario, prepared, decisions, ready.bundle, ready.setup.state, happened.span_ns)
    drift |= _answers(outcome)
    judged = assessed.judged(latency) if assessed else latency
    return Results(
        schema_version=SCHEMA_VERSION,
        scenario=scenario.name,
        engine=ready.setup.engine,
        workers=ready.setup.workers,
        broker=streamed.broker,
        seeds=scenario.seeds.model_dump(),
        started_at=utc(started_at),
        verdict=judge(Judged(scenario.slo, load, counts, judged, quality, drift, faults, steady, aml)),
        load=load,
        counts=counts,
        latency_ms=latency,
        quality=quality,
        drift=drift,
        breaker=measures.breaker_results(outcome),
        faults=faults,
        steady=steady,
        model=None if ready.bundle is None else measures.model_results(ready.bundle),
        slo=scenario.slo.model_dump(),
        scorers=outcome.scorers,
        dataset=str(prepared.facts["source"]) if scenario.data else None,
        config=scenario.model_dump(mode="json"),
        audit=measures.audit_results(outcome),
        aml=aml,
        processes=measures.process_results(outcome, counts.sent),
    )


def _answers(outcome: StreamOutcome) -> dict[str, Any]:
    """`answers`, where drift was to be answered."""
    return {} if outcome.answers is None else {"answers": msgspec.to_builtins(outcome.answers)}


def _right(scenario: Scenario, watched: Watched) -> tuple[dict[str, Any], AmlResults | None]:
    """Whether it was right: `quality`, and of money laundering `aml`."""
    prepared = watched.prepared
    if scenario.domain == "aml" and prepared.labelled:
        monitored = monitor(scenario, watched)
        return monitored.quality, monitored.aml
    return measures.quality_results(scenario, prepared, watched.decisions, watched.sent, watched.folder), None


def _held(folder: RunFolder, outcome: StreamOutcome, measured_from: int) -> measures.Held:
    return measures.Held(
        schedule=np.load(folder.work / "feed" / "schedule.npy", mmap_mode="r"),
        sent_ns=outcome.sent_ns,
        start_ns=outcome.start_ns,
        measured_from=measured_from,
    )
