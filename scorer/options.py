"""What a scorer process was asked to do, as its command line says it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from scorer.breaker_config import BreakerConfig
from scorer.event_clock import Plausible
from scorer.guarded_model import Guards
from streams.errors import BadInputError
from streams.topics import Domain

Explain = Literal["flagged", "all", "none"]
EXPLAIN: tuple[Explain, ...] = ("flagged", "all", "none")
CHECKPOINT_EVERY_S = 5.0
ROLES = ("worker", "nightly")


@dataclass(frozen=True, slots=True)
class FileInput:
    """The in-process engine's files; raw alerts are of transfers."""

    events: Path | None = None
    dispositions: Path | None = None
    schedule: Path | None = None
    decisions_out: Path | None = None
    explanations_out: Path | None = None
    alerts_out: Path | None = None


@dataclass(frozen=True, slots=True)
class LoadgenLoad:
    """What MLPerf LoadGen sends when it drives the scorer: a rate (events/s), its seed, and where its logs go."""

    out: Path | None = None
    rate_per_s: float = 500.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class RunOptions:
    """All options of a worker or nightly job. What an engine does not use may be None."""

    engine: str
    role: str
    worker: str
    bootstrap_servers: str | None
    kafka_config: Path | None
    prefix: str | None
    group: str | None
    bundle: Path | None
    rules: Path
    state: Path | None
    explain: Explain
    breaker: BreakerConfig
    guards: Guards
    batch_max: int
    table_wait_s: float
    metrics_host: str
    metrics_port: int
    ready_file: Path | None
    summary: Path | None
    late_scores: Path | None
    files: FileInput
    topics_wait_s: float = 0.0
    domain: Domain = "fraud"
    loadgen: LoadgenLoad = LoadgenLoad()
    fault_control: Path | None = None
    checkpoint_dir: Path | None = None
    checkpoint_every_s: float = CHECKPOINT_EVERY_S
    plausible: Plausible = field(default_factory=Plausible)
    rollout_control: Path | None = None
    flink_connector: Path | None = None
    """The jar of Flink's Kafka connector, for engine flink."""
    member: str | None = None
    """Name under which the group knows this worker again when it comes back; None: it is a new one each time."""


def required(value: Path | str | None, option: str, who: str) -> str:
    """The value of an option that this engine or role cannot do without, as text."""
    if value is None:
        raise BadInputError(f"{option} is needed by {who}")
    return str(value)
