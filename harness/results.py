"""results.json: the public contract of a run, version 1. Keys may be added; none changes its meaning."""

import json
from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.aml.results import AmlResults
from harness.fed_results import FedResults
from harness.latency_results import Distribution, LatencyResults

SCHEMA_VERSION = 1
SCHEMA_FILE = "results.schema.json"
Status = Literal["pass", "fail", "invalid"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`invalid`: the run says nothing about the scorer; `fail`: it does, and a limit was broken."""

    status: Status
    reasons: list[str]


class ScheduleDelay(msgspec.Struct, frozen=True, kw_only=True):
    """Intended instant → really sent, in ms: the harness's own lateness."""

    p50: float | None
    p99: float | None
    max: float | None


class SenderResults(msgspec.Struct, frozen=True, kw_only=True):
    """One load process of several that share a schedule, after the warm-up. Their histograms add up to the whole's."""

    sender: int
    events: int
    schedule_delay_ms: Distribution


class LoadResults(msgspec.Struct, frozen=True, kw_only=True):
    """How the schedule was held, after the warm-up.

    `target_per_s` was asked for, `scheduled_per_s` is what the seeded process drew, `achieved_per_s` what was sent.
    `event_bytes` and `decision_bytes` are the means of the messages themselves, without keys and Kafka's own.
    """

    process: str
    target_per_s: float
    scheduled_per_s: float
    achieved_per_s: float
    schedule_delay_ms: ScheduleDelay
    duration_s: float
    warmup_s: float
    partitions: int
    events_from: str | None
    events_until: str | None
    linger_ms: float = 0.0
    senders: int = 1
    by_sender: list[SenderResults] = []
    collectors: int = 1
    event_bytes: float | None = None
    decision_bytes: float | None = None


class PathCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions by the path that made them."""

    rules: int
    model: int
    fallback: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Every event is accounted for: `sent = decided + lost`.

    `late` (after the time-out) is part of `decided`, `dead_lettered` (refused by the scorer with a reason) part of
    `lost`, but for the `fed_refused` ones of the `fed` messages that faults put between the events.
    `warmup` events are sent and decided, but their latency is not measured.
    `side_messages` are dispositions and day ends. `reordered` answers came after the answer to a later event of their
    card: between partitions of the decisions topic the broker does that by itself. `explained` events have the model's
    contributions, in the decision or in an explanation that followed; `explanations_missing` were to be explained and
    never were (null: none were to be).
    """

    sent: int
    decided: int
    lost: int
    late: int
    duplicated: int
    unknown: int
    malformed: int
    dead_lettered: int
    undelivered: int
    warmup: int
    side_messages: int
    by_path: PathCounts
    explained: int = 0
    explanations_missing: int | None = None
    explanations_duplicated: int = 0
    explanations_unknown: int = 0
    explanations_malformed: int = 0
    reordered: int = 0
    fed: int = 0
    fed_refused: int = 0

    @property
    def refused(self) -> int:
        """Events of the stream itself that the scorer refused."""
        return self.dead_lettered - self.fed_refused


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the breaker's state; `at_s` is seconds since the first intended instant."""

    at_s: float
    from_: str = msgspec.field(name="from")
    to: str
    cause: str
    worker: str


class BreakerResults(msgspec.Struct, frozen=True, kw_only=True):
    """What the circuit breaker did, and what stands beside it; null counts where the scorer does not say.

    `late_scores` are events whose overdue model call gave a score after all, `late_failed` those where it failed,
    `late_not_kept` those of them that are in no file; `bulkhead_rejected` are calls refused for want of a place.
    """

    transitions: list[Transition]
    open_ms: float | None
    fallback_events: int
    late_scores: int | None = None
    late_failed: int | None = None
    late_not_kept: int | None = None
    bulkhead_rejected: int | None = None


class SteadyResults(msgspec.Struct, frozen=True, kw_only=True):
    """The steady-state hypothesis over a stretch of the stream (seconds since the first intended instant): whether it
    held, and what was found. Null figures: nothing was due in it."""

    from_s: float
    until_s: float
    held: bool
    events: int
    p99_ms: float | None
    limit_ms: float
    fallback_share: float | None
    fallback_share_max: float
    lost: int


class FaultQuality(msgspec.Struct, frozen=True, kw_only=True):
    """The price in quality, over the events due while a fault was felt: as they were decided, and as rules and model
    together would have decided them (`_model`, computed again from the run folder). `alerts_missed` would have been
    reviewed or blocked, `frauds_missed` of them are fraud; `alerts_more` would not have been."""

    events: int
    frauds: int
    k: int
    precision_at_k: float | None
    precision_at_k_model: float | None
    recall: float | None
    recall_model: float | None
    alerts_missed: int
    frauds_missed: int
    alerts_more: int


class FaultResults(msgspec.Struct, frozen=True, kw_only=True):
    """One injected fault and what came of it.

    It was injected at `at_s` (seconds since the first intended instant; `injected_at` says the same in words) and
    lifted `duration_s` later. `felt` are the signals by which it shows, `detected_ms` from the injection to the first
    that an operator could see, `open_ms` to the breaker's opening. `recovered_ms` runs from the lifting until the
    steady state was back (null: never), `closed_ms` until every breaker was closed. What was due between injection and
    recovery is counted: `events`, `by_path`, `lost`, `p99_during_ms`, and of
    the model's calls that took a time limit the most that any event waited for (`model_waits_max`; null: not told).
    `reasons` are the expectations not met.
    """

    kind: str
    injected_at: str
    detected_ms: float | None
    recovered_ms: float | None
    p99_during_ms: float | None
    lost: int
    duplicated: int
    alerts_missed: int | None
    family: str = ""
    place: int = 0
    at_s: float | None = None
    duration_s: float | None = None
    aborted: str | None = None
    felt: list[str] = []
    detected_by: str | None = None
    open_ms: float | None = None
    closed_ms: float | None = None
    p99_before_ms: float | None = None
    p99_after_ms: float | None = None
    events: int = 0
    by_path: PathCounts | None = None
    lag_max: int | None = None
    dead_lettered: int | None = None
    model_waits_max: int | None = None
    before: SteadyResults | None = None
    after: SteadyResults | None = None
    quality: FaultQuality | None = None
    fed: FedResults | None = None
    status: Literal["pass", "fail"] = "pass"
    reasons: list[str] = []


class BrokerResults(msgspec.Struct, frozen=True, kw_only=True):
    """The broker of the run."""

    name: str
    version: str | None
    start_s: float | None
    memory_bytes: int | None
    warning: str | None


class ModelResults(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle that decided, and what its training measured."""

    version: str
    data_hash: str
    metrics: dict[str, Any]
    imbalance: dict[str, Any]
    thresholds: dict[str, Any]


class AuditResults(msgspec.Struct, frozen=True, kw_only=True):
    """The audit trail's end: how many records, the hash of the last one, and whether it was closed."""

    records: int
    head: str
    closed: bool


class ProcessResults(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of the stream cost, from just before the first event on: processor time, and memory of its
    own (mapped files left out) at first, at last and at most; `memory_settled_bytes` after the first minute."""

    name: str
    cpu_s: float
    cpu_us_per_event: float | None
    memory_start_bytes: int
    memory_end_bytes: int
    memory_max_bytes: int
    memory_settled_bytes: int | None = None


class ShareOfRun(msgspec.Struct, frozen=True, kw_only=True):
    """Which share of a run this is that several hosts made at once; `run` is what the first share called it."""

    share: int
    of: int
    run: str


class MergedShare(msgspec.Struct, frozen=True, kw_only=True):
    """One share of a merged run: its run folder, what it sent and got back, and its own response times, in ms. The
    shares' histograms add up to the whole's."""

    share: int
    folder: str
    sent: int
    decided: int
    response: Distribution


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A run's results."""

    schema_version: int
    scenario: str
    engine: str
    workers: int
    broker: BrokerResults
    seeds: dict[str, int]
    started_at: str
    verdict: Verdict
    load: LoadResults
    counts: Counts
    latency_ms: LatencyResults
    quality: dict[str, Any]
    drift: dict[str, Any]
    breaker: BreakerResults
    faults: list[FaultResults]
    model: ModelResults | None
    slo: dict[str, float | None]
    scorers: list[dict[str, Any]]
    dataset: str | None
    config: dict[str, Any]
    audit: AuditResults | None = None
    processes: list[ProcessResults] = []
    aml: AmlResults | None = None
    steady: SteadyResults | None = None
    """With faults: the measured stream outside of them, which the limits of latency and fallback are judged by."""
    share: ShareOfRun | None = None
    """Of a run that is one share of several hosts' run."""
    shares: list[MergedShare] = []
    """Of a merged run."""


def encode_results(results: Results) -> str:
    """results.json, indented. NaN and infinities become null."""
    return msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n"


def read_results(path: Path) -> Results:
    """Read a results.json; raises msgspec.ValidationError with the place of what does not fit."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def results_schema() -> dict[str, Any]:
    """The JSON Schema of results.json."""
    schema = msgspec.json.schema(Results)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Riskbench results, version 1"}
    return {**head, **schema}


def write_schema(folder: Path) -> Path:
    """Write the schema into `folder` (docs/)."""
    path = folder / SCHEMA_FILE
    path.write_text(json.dumps(results_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
