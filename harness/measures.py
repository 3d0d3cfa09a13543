"""From what a stream left behind to results: load, counts, latency, quality, drift, breaker."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.beside import beside_of
from harness.decision_rows import STAGES
from harness.drift import Alarm, Limits, measure_drift
from harness.drift.recorded import is_long_enough, read_reference
from harness.drift.settings import Settings
from harness.drift.stored import watch_stored
from harness.explanations import EXPLANATIONS_FILE
from harness.latency import LatencyLog, Percentiles, measure_latency, new_histogram, record, summarise
from harness.latency_results import Distribution, Floor, LatencyResults, PathLatency, TailResults, WaterfallResults
from harness.prepared import Prepared
from harness.quality import gather_stored, known_compromised, quality_of, stored_reasons
from harness.results import (
    AuditResults,
    BreakerResults,
    Counts,
    FaultResults,
    LoadResults,
    ModelResults,
    PathCounts,
    ProcessResults,
    ScheduleDelay,
    SenderResults,
    Transition,
)
from harness.scenario import Scenario
from harness.stream import StreamOutcome
from harness.tail import Tail
from harness.waterfall import Waterfall
from streams.decision import PATHS
from streams.stored_rows import StoredRows

NS_PER_S = 1_000_000_000
K_DEFAULT = 10
"""Cards looked at per event-day where neither the scenario nor the data says."""


@dataclass(frozen=True, slots=True)
class Held:
    """How a schedule was held: its offsets (ns), the first measured ordinal, and when events were sent (ns)."""

    schedule: np.ndarray[Any, np.dtype[np.int64]]
    sent_ns: np.ndarray[Any, np.dtype[np.int64]]
    start_ns: int
    measured_from: int

    @property
    def scheduled_per_s(self) -> float:
        """The rate the schedule asked for after the warm-up (a random process does not draw its mean exactly)."""
        offsets = self.schedule[self.measured_from :]
        return _rate(len(offsets), int(offsets[-1] - offsets[0])) if len(offsets) else 0.0

    @property
    def achieved_per_s(self) -> float:
        """The rate at which measured events were really sent, over the time that took."""
        offsets, sent = self.schedule[self.measured_from :], self.sent_ns[self.measured_from :]
        done = sent[sent > 0]
        return _rate(len(done), int(done[-1] - self.start_ns - offsets[0])) if len(done) else 0.0


@dataclass(frozen=True, slots=True)
class Happened:
    """How many events a stream has, and the first and the last event time (ns; 0 of none)."""

    events: int
    from_ns: int
    until_ns: int

    @classmethod
    def of(cls, events: Path) -> "Happened":
        """Of an events.parquet, read a block at a time."""
        ends = [
            (int(times.min()), int(times.max()))
            for block in StoredRows(events).blocks(["event_time_ns"])
            for times in (block["event_time_ns"].to_numpy(),)
        ]
        rows = pq.read_metadata(events).num_rows
        return cls(rows, min(low for low, _ in ends), max(high for _, high in ends)) if ends else cls(0, 0, 0)

    @property
    def span_ns(self) -> int:
        """The event time they cover."""
        return self.until_ns - self.from_ns


def _rate(events: int, span_ns: int) -> float:
    """n events span n-1 gaps."""
    return (events - 1) * NS_PER_S / span_ns if events > 1 and span_ns > 0 else float(events)


def _iso(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def distribution(found: Percentiles) -> Distribution:
    """A histogram's percentiles as results, to the nanosecond."""
    p50, p90, p99, p999, highest = (
        None if value is None else round(value, 6) for value in (found.p50, found.p90, found.p99, found.p999, found.max)
    )
    return Distribution(count=found.count, p50=p50, p90=p90, p99=p99, p999=p999, max=highest)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Mean bytes of the messages sent and received; None of none."""

    event_bytes: float | None
    decision_bytes: float | None

    @classmethod
    def of(cls, feed: Path, counts: Mapping[str, Any]) -> "Sizes":
        """Of a feed folder's events, and of what a collector counted."""
        starts = np.load(feed / "messages.npy", mmap_mode="r")
        received = sum(int(counts[kind]) for kind in ("decided", "duplicated", "unknown", "malformed"))
        return cls(_mean(int(starts[-1]), len(starts) - 1), _mean(int(counts["received_bytes"]), received))


def _mean(total: int, count: int) -> float | None:
    return round(total / count, 1) if count else None


def load_results(
    scenario: Scenario, held: Held, happened: Happened, latency: LatencyLog, senders: list[SenderResults], sizes: Sizes
) -> LoadResults:
    """How the load was sent."""
    delay = distribution(latency.percentiles("schedule_delay"))
    span_ns = int(held.schedule[-1]) if len(held.schedule) else 0
    duration = scenario.load.duration_s or max(0.0, span_ns / NS_PER_S - scenario.load.warmup_s)
    return LoadResults(
        process=scenario.load.process,
        target_per_s=scenario.load.rate_per_s,
        scheduled_per_s=round(held.scheduled_per_s, 3),
        achieved_per_s=round(held.achieved_per_s, 3),
        schedule_delay_ms=ScheduleDelay(p50=delay.p50, p99=delay.p99, max=delay.max),
        duration_s=round(duration, 3),
        warmup_s=scenario.load.warmup_s,
        partitions=scenario.load.partitions,
        events_from=_iso(happened.from_ns) if happened.events else None,
        events_until=_iso(happened.until_ns) if happened.events else None,
        linger_ms=scenario.load.lingers_ms,
        senders=scenario.load.senders,
        by_sender=senders,
        collectors=scenario.load.collectors,
        event_bytes=sizes.event_bytes,
        decision_bytes=sizes.decision_bytes,
    )


def sender_results(held: Held, key_codes: np.ndarray[Any, np.dtype[np.int32]], senders: int) -> list[SenderResults]:
    """Each load process's own lateness, where there are several; `key_codes` [n] is the card of each event."""
    if senders == 1:
        return []
    delays = held.sent_ns - (held.schedule + held.start_ns)
    measured = (np.arange(len(delays)) >= held.measured_from) & (held.sent_ns > 0)
    found = []
    for sender in range(senders):
        histogram = new_histogram()
        record(histogram, delays[measured & (key_codes % senders == sender)])
        of = distribution(summarise(histogram))
        found.append(SenderResults(sender=sender, events=of.count, schedule_delay_ms=of))
    return found


def process_results(outcome: StreamOutcome, sent: int) -> list[ProcessResults]:
    """What every process of the stream cost, instrument and scorer; `sent` events were sent while it was looked at."""
    return [
        ProcessResults(
            name=found.name,
            cpu_s=round(found.cpu_s, 3),
            cpu_us_per_event=round(1e6 * found.cpu_s / sent, 3) if sent else None,
            memory_start_bytes=found.memory_start_bytes,
            memory_end_bytes=found.memory_end_bytes,
            memory_max_bytes=found.memory_max_bytes,
            memory_settled_bytes=found.memory_settled_bytes,
        )
        for found in outcome.footprints
    ]


def count_results(outcome: StreamOutcome, held: Held, faults: Sequence[FaultResults] = ()) -> Counts:
    """Every event accounted for."""
    counts, load = outcome.counts, outcome.load
    sent = int(load["sent"])
    explanations = counts.get("explanations") or dict.fromkeys(("explained", "duplicated", "unknown", "malformed"), 0)
    return Counts(
        sent=sent,
        decided=int(counts["decided"]),
        lost=int(counts["lost"]),
        late=int(counts["late"]),
        duplicated=int(counts["duplicated"]),
        reordered=int(counts["reordered"]),
        unknown=int(counts["unknown"]),
        malformed=int(counts["malformed"]),
        dead_lettered=outcome.dead_lettered,
        undelivered=int(load["undelivered"]),
        warmup=min(held.measured_from, sent),
        side_messages=int(load["side_sent"]),
        by_path=PathCounts(**{path: int(counts["by_path"][path]) for path in PATHS}),
        explained=int(explanations["explained"]),
        explanations_missing=explanations.get("missing"),
        explanations_duplicated=int(explanations["duplicated"]),
        explanations_unknown=int(explanations["unknown"]),
        explanations_malformed=int(explanations["malformed"]),
        fed=int(load.get("fed_sent", 0)),
        fed_refused=sum(fault.fed.refused for fault in faults if fault.fed is not None),
    )


def audit_results(outcome: StreamOutcome) -> AuditResults | None:
    """The end of the audit trail, where one was written."""
    found = outcome.counts.get("audit")
    return AuditResults(**found) if found else None


@dataclass(frozen=True, slots=True)
class Explaining:
    """Decision handed over → explanation handed over; None where none followed. What could not be is counted."""

    latency: Distribution | None
    negative: int
    overflow: int


def explanation_latency(file: Path) -> Explaining:
    """Of the measured rows of an explanations.parquet; the instants are the scorer's own, where it says them."""
    histogram, negative, overflow = new_histogram(), 0, 0
    with pq.ParquetFile(file) as rows:
        for batch in rows.iter_batches(columns=["measured", "decided_ns", "emitted_ns"]):
            kept = batch.filter(batch.column("measured")).drop_null()
            below, over = record(
                histogram, pc.subtract(kept.column("emitted_ns"), kept.column("decided_ns")).to_numpy()
            )
            negative, overflow = negative + below, overflow + over
    return Explaining(distribution(summarise(histogram)) if histogram.total_count else None, negative, overflow)


def floor_results(outcome: StreamOutcome, log_file: Path, duration_s: float) -> Floor:
    """What the null scorer took."""
    log = measure_latency(outcome.decisions, outcome.start_ns, log_file)
    response, service, delay = (distribution(log.percentiles(tag)) for tag in ("response", "service", "schedule_delay"))
    return Floor(
        response=response,
        service=service,
        schedule_delay=delay,
        duration_s=duration_s,
        lost=int(outcome.counts["lost"]),
        negative=log.negative,
        overflow=log.overflow,
    )


def waterfall_results(found: Waterfall | None) -> WaterfallResults | None:
    """The waterfall as results; None where nothing was measured."""
    return None if found is None else msgspec.convert(asdict(found), WaterfallResults)


def latency_results(
    log: LatencyLog, floor: Floor | None, explaining: Explaining, tail: Tail, waterfall: Waterfall | None
) -> LatencyResults:
    """All distributions of a run."""
    percentiles = {tag: distribution(log.percentiles(tag)) for tag in log.series}
    empty = Distribution(count=0, p50=None, p90=None, p99=None, p999=None, max=None)

    def of(tag: str) -> Distribution:
        return percentiles.get(tag, empty)

    return LatencyResults(
        response=of("response"),
        service=of("service"),
        schedule_delay=of("schedule_delay"),
        floor=floor,
        by_path={path: PathLatency(response=of(f"response.{path}"), service=of(f"service.{path}")) for path in PATHS},
        stages={stage: of(f"stage.{stage}") for stage in STAGES if f"stage.{stage}" in percentiles},
        negative=log.negative + explaining.negative,
        overflow=log.overflow + explaining.overflow,
        explanation=explaining.latency,
        tail=TailResults(**asdict(tail)),
        waterfall=waterfall_results(waterfall),
        minutes=[distribution(minute) for minute in log.minutes],
    )


def quality_results(
    scenario: Scenario, prepared: Prepared, decisions: StoredRows, sent: int, run: Path
) -> dict[str, Any]:
    """Measured over all events sent, warm-up included; empty when the truth is not known. `run` is the run folder, for
    the explanations in it."""
    if not prepared.labelled:
        return {}
    excluded = _known(prepared, sent) if prepared.facts.get("remove_known_compromised") else None
    everything = gather_stored(
        decisions, StoredRows(prepared.file("events")), StoredRows(prepared.file("labels")), sent
    )
    explanations = run / EXPLANATIONS_FILE
    reasons = stored_reasons(decisions, StoredRows(explanations) if explanations.is_file() else None, len(everything))
    found = quality_of(
        everything,
        reasons,
        scenario.measure.k or prepared.facts.get("k") or K_DEFAULT,
        deadline_ms=scenario.slo.response_p99_ms,
        excluded=excluded,
        published=prepared.facts.get("published", []),
        beside=beside_of(scenario, prepared),
    )
    return found.to_dict()


def _known(prepared: Prepared, sent: int) -> Any:
    """Events of the stream whose card was known to be compromised, seen from the start of training."""
    columns, truth = ["card_id", "event_time_ns"], ["is_fraud"]
    history = pq.read_table(prepared.file("history"), columns=columns)
    events = pq.read_table(prepared.file("events"), columns=columns).slice(0, sent)
    both = pa.concat_tables([history, events]).unify_dictionaries()
    labels = pq.read_table(prepared.file("labels"), columns=truth).slice(0, sent)
    known = pa.concat_tables([pq.read_table(prepared.file("history_labels"), columns=truth), labels])
    delay = prepared.facts.get("label_delay_days") or 0
    return known_compromised(both, known, prepared.windows.train_from_ns, delay)[len(history) :]


def drift_results(
    scenario: Scenario,
    prepared: Prepared,
    decisions: StoredRows | pa.Table,
    bundle: Mapping[str, Any] | None,
    state: Path | None,
    span_ns: int,
) -> dict[str, Any]:
    """Of all decisions against the warm state's reference, and what the monitors raised while they came."""
    rows = StoredRows(decisions) if isinstance(decisions, pa.Table) else decisions
    reference = read_reference(state)
    limits = Limits(scenario.drift.psi_warning, scenario.drift.psi_alarm)
    settings = Settings()
    alarms: tuple[Alarm, ...] = ()
    if is_long_enough(len(rows), span_ns, settings):
        alarms = watch_stored(scenario, prepared, rows, bundle, reference, settings).alarms
    return measure_drift(rows, bundle, reference, limits=limits, span_ns=span_ns, alarms=alarms).to_dict()


def breaker_results(outcome: StreamOutcome) -> BreakerResults:
    """Transitions of every worker in order of time, and how long breakers were open together."""
    transitions, open_ms = [], None
    for summary in outcome.scorers:
        breaker = summary.get("breaker")
        if not isinstance(breaker, dict):
            continue
        open_ms = (open_ms or 0.0) + float(breaker.get("open_ms", 0.0))
        for change in breaker.get("transitions", []):
            at_s = (int(change["at_ns"]) - outcome.start_ns) / NS_PER_S
            transitions.append(
                Transition(
                    at_s=round(at_s, 3),
                    from_=str(change["from"]),
                    to=str(change["to"]),
                    cause=str(change.get("cause", "")),
                    worker=str(summary.get("worker", "")),
                )
            )
    transitions.sort(key=lambda change: change.at_s)
    fallback = int(outcome.counts["by_path"]["fallback"])
    return BreakerResults(
        transitions=transitions,
        open_ms=open_ms,
        fallback_events=fallback,
        late_scores=_summed(outcome.scorers, "late_scores", "scored"),
        late_failed=_summed(outcome.scorers, "late_scores", "failed"),
        late_not_kept=_summed(outcome.scorers, "late_scores", "not_kept"),
        bulkhead_rejected=_summed(outcome.scorers, "bulkhead", "rejected"),
    )


def _summed(summaries: Sequence[Mapping[str, Any]], part: str, name: str) -> int | None:
    """A count of the guarded model over all workers that tell it; None where none does."""
    models = [summary["model"] for summary in summaries if isinstance(summary.get("model"), Mapping)]
    told = [int(model[part][name]) for model in models if name in model.get(part, {})]
    return sum(told) if told else None


def model_results(bundle: Mapping[str, Any]) -> ModelResults:
    """The bundle that decided."""
    return ModelResults(
        version=str(bundle.get("model_version", "")),
        data_hash=str(bundle.get("data_hash", "")),
        metrics=dict(bundle.get("metrics", {})),
        imbalance=dict(bundle.get("imbalance", {})),
        thresholds=dict(bundle.get("thresholds", {})),
    )
