"""Scenario files: one YAML file holds load, world, scorer, measures, drift, faults and SLOs; validated strictly."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from harness.aml.section import Investigators
from harness.faults.kinds import AnyFault
from harness.load_section import Load, with_partitions
from harness.populations import AmlPopulation, CardPopulation, Population
from harness.scenario_errors import explain_problems
from streams.drift.applying import DRIFTS_MAX, refuse_impossible
from streams.drift.kinds import AnyDrift
from streams.errors import BadInputError
from streams.section import Section
from streams.topics import Domain

Engine = Literal["faust", "native", "flink", "inprocess"]
BrokerName = Literal["auto", "apache", "embedded", "external"]
Share = Annotated[float, Field(ge=0, le=1)]
SCENARIOS = Path(__file__).parent / "scenarios"


Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Seeds(Section):
    """One seed each, so that changing one thing leaves the others alone."""

    world: Seed = 1
    arrivals: Seed = 2
    faults: Seed = 3
    training: Seed = 4
    drift: Seed = 5


class Data(Section):
    """Somebody's own events instead of the world: a CSV or Parquet file, and its column map (a name or a file)."""

    file: str
    columns: str | None = None


class TransferData(Data):
    """Somebody's own transfers (`file`) with the accounts they are between; of `last_days` given, the last so many."""

    accounts: str
    last_days: Annotated[int, Field(ge=2, le=36_500)] | None = None


class Training(Section):
    """How the model is made when no bundle is given."""

    label_delay_days: Annotated[int, Field(ge=0, le=90)] = 7
    kernel_warmup_days: Annotated[int, Field(ge=0, le=365)] = 28
    alert_budget_per_day: Annotated[float, Field(gt=0)] | None = None
    review_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    cost_missed_fraud: Annotated[str, Field(pattern=r"^\d+(\.\d+)?%?$")] | None = None
    cost_false_alert: Annotated[float, Field(ge=0)] | None = None
    cost_false_block: Annotated[float, Field(ge=0)] | None = None


class Breaker(Section):
    """The circuit breaker around the model (resilience4j's words)."""

    sla_ms: Annotated[float, Field(gt=0, le=600_000)] = 1_000.0
    time_limit_ms: Annotated[float, Field(gt=0, le=600_000)] = 2_000.0
    failure_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    slow_call_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    window: Literal["count", "time"] = "count"
    window_calls: Annotated[int, Field(ge=1, le=100_000)] = 10
    window_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    minimum_calls: Annotated[int, Field(ge=1, le=100_000)] = 5
    open_s: Annotated[float, Field(gt=0, le=3600)] = 5.0
    open_factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    open_s_max: Annotated[float, Field(gt=0, le=3600)] = 60.0
    half_open_calls: Annotated[int, Field(ge=1, le=10_000)] = 5
    half_open_s_max: Annotated[float, Field(ge=0, le=3600)] = 0.0
    overdue_calls: Annotated[int, Field(ge=0, le=10_000)] = 1
    concurrent_calls_max: Annotated[int, Field(ge=1, le=64)] = 1
    wait_ms_max: Annotated[float, Field(ge=0, le=600_000)] = 0.0
    late_wait_s: Annotated[float, Field(ge=0, le=3_600)] = 30.0
    limit_kind: Literal["soft", "hard"] = "soft"
    forced: Literal["open", "closed"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Breaker":
        if self.wait_ms_max >= self.time_limit_ms:
            raise ValueError(
                f"wait_ms_max = {self.wait_ms_max:g} must be below time_limit_ms = {self.time_limit_ms:g}, of which "
                "it is part"
            )
        if self.window == "count" and self.minimum_calls > self.window_calls:
            raise ValueError(
                f"minimum_calls = {self.minimum_calls} is above window_calls = {self.window_calls}: the breaker would "
                "never open"
            )
        return self


class Scorer(Section):
    """The system under test: ours, a program started by `command`, or `external`: started by somebody else."""

    kind: Literal["ours", "external"] = "ours"
    engine: Engine = "faust"
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    rules: str | None = None
    bundle: str | None = None
    command: Annotated[str, Field(min_length=1)] | None = None
    settle_s: Annotated[float, Field(ge=0, le=600)] | None = None
    join_within_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    explain: Literal["flagged", "all", "none"] = "flagged"
    checkpoint_every_s: Annotated[float, Field(ge=0, le=3_600)] = 5.0
    pinned_to: list[Annotated[int, Field(ge=0, le=4_095)]] = Field(default_factory=list, max_length=64)
    event_ahead_days_max: Annotated[int, Field(ge=0, le=36_500)] = 31
    event_behind_days_max: Annotated[int, Field(ge=0, le=36_500)] = 366
    breaker: Breaker = Breaker()

    @model_validator(mode="after")
    def _is_one(self) -> "Scorer":
        if self.kind == "external" and self.command is not None:
            raise ValueError("kind = external starts nothing, command starts a program: give one of the two")
        if self.engine == "flink" and self.workers > 1:
            raise ValueError(f"workers = {self.workers}: engine flink has one, whose job takes all partitions")
        return self


class Measure(Section):
    """How it is measured."""

    k: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    event_timeout_s: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    floor_s: Annotated[float, Field(ge=0, le=600)] = 5.0


class Slo(Section):
    """What must hold for a pass; a limit that is null is not judged."""

    response_p99_ms: Annotated[float, Field(gt=0)] = 1_000.0
    response_p999_ms: Annotated[float, Field(gt=0)] | None = None
    precision_at_k_min: Share | None = None
    recall_min: Share | None = None
    pr_auc_min: Share | None = None
    false_positive_rate_max: Share | None = None
    psi_score_max: Annotated[float, Field(gt=0)] | None = None
    fallback_share_max: Share | None = None
    pattern_recall_min: Share | None = None
    k_share: Annotated[float, Field(gt=0, le=1)] | None = None
    lift_at_k_min: Annotated[float, Field(gt=0)] | None = None
    psi_max: Annotated[float, Field(gt=0)] | None = None


AML_LIMITS = ("pattern_recall_min", "k_share", "lift_at_k_min", "psi_max")
"""Limits of `slo` that only money laundering has."""


class Drift(Section):
    """When a stability index is called a warning or a drift."""

    psi_warning: Annotated[float, Field(gt=0)] = 0.1
    psi_alarm: Annotated[float, Field(gt=0)] = 0.25


class Steady(Section):
    """The steady-state hypothesis: what a second of the stream looks like when all is well, before and after a fault.

    `response_p99_ms` null: the SLO's. `hold_s`: steady for so long counts as recovered.
    """

    response_p99_ms: Annotated[float, Field(gt=0)] | None = None
    fallback_share_max: Share = 0.01
    hold_s: Annotated[float, Field(ge=1, le=60)] = 2.0


class Scenario(Section):
    """A whole scenario, every default filled in."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    domain: Domain
    broker: BrokerName = "auto"
    seeds: Seeds = Seeds()
    load: Load = Load()
    world: Population = Population()
    data: Data | None = None
    training: Training = Training()
    scorer: Scorer = Scorer()
    measure: Measure = Measure()
    slo: Slo = Slo()
    drift: Drift = Drift()
    steady: Steady = Steady()
    investigators: Investigators | None = None
    faults: list[AnyFault] = Field(default_factory=list, max_length=100)
    drifts: list[AnyDrift] = Field(default_factory=list, max_length=DRIFTS_MAX)

    @model_validator(mode="before")
    @classmethod
    def _partitions_for_all(cls, raw: Any) -> Any:
        return with_partitions(raw)

    @model_validator(mode="after")
    def _has_an_end(self) -> "Scenario":
        if self.load.duration_s is None and self.data is None:
            raise ValueError("load.duration_s = null (to the end of the data) needs data: a world has no end")
        return self

    @model_validator(mode="after")
    def _has_topics_to_collect(self) -> "Scenario":
        scorer = self.scorer
        alone = scorer.engine == "inprocess" and scorer.kind == "ours" and scorer.command is None
        if alone and self.load.collectors > 1:
            raise ValueError(f"load.collectors = {self.load.collectors}: engine inprocess has no topic to collect from")
        return self

    @model_validator(mode="after")
    def _domain_has_them(self) -> "Scenario":
        given = [f"slo.{name}" for name in AML_LIMITS if getattr(self.slo, name) is not None]
        given += ["investigators"] if self.investigators is not None else []
        if given and self.domain != "aml":
            verb = "is" if len(given) == 1 else "are"
            raise ValueError(f"{', '.join(given)} {verb} for domain = aml, and domain = {self.domain}")
        return self

    @model_validator(mode="after")
    def _faults_fit(self) -> "Scenario":
        if self.load.duration_s is not None:
            for place, fault in enumerate(self.faults):
                if fault.at_s is not None and fault.at_s + fault.duration_s > self.load.total_s:
                    raise ValueError(
                        f"faults[{place}] ({fault.kind}) ends {fault.at_s + fault.duration_s:g} s after the start, the "
                        f"load after {self.load.total_s:g} s (warm-up {self.load.warmup_s:g} s included)"
                    )
        timed = sorted((f.at_s, f.duration_s, n) for n, f in enumerate(self.faults) if f.at_s is not None)
        for (at_s, duration_s, first), (next_s, _, second) in pairwise(timed):
            if next_s < at_s + duration_s:
                raise ValueError(
                    f"faults[{second}] begins at {next_s:g} s, before faults[{first}] ends at {at_s + duration_s:g} s: "
                    "what came of each could not be told apart"
                )
        return self

    @model_validator(mode="after")
    def _drifts_fit(self) -> "Scenario":
        refuse_impossible(self.drifts, self.domain, self.world.config if self.data is None else None)
        return self

    def to_yaml(self) -> str:
        """The resolved scenario as YAML, in the order of the file."""
        return str(yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


class FraudScenario(Scenario):
    """A scenario of card fraud."""

    domain: Literal["fraud"] = "fraud"
    world: CardPopulation = CardPopulation()


class TransferScorer(Scorer):
    """Of the engines on a broker one takes transfers."""

    engine: Engine = "native"


class AmlScenario(Scenario):
    """A scenario of money-laundering monitoring."""

    domain: Literal["aml"]
    scorer: TransferScorer = TransferScorer()
    world: AmlPopulation = AmlPopulation()
    data: TransferData | None = None

    @model_validator(mode="after")
    def _keeps_order(self) -> "AmlScenario":
        if self.load.partitions != 1 or self.scorer.workers != 1:
            raise ValueError(
                f"load.partitions = {self.load.partitions} and scorer.workers = {self.scorer.workers} must be 1: the "
                "graph needs every transfer in the order of event time (docs/aml.md says how it scales)"
            )
        return self


SCENARIO_TYPES: dict[str, type[Scenario]] = {"fraud": FraudScenario, "aml": AmlScenario}
"""What a scenario file is, by its key `domain`."""


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"scenario {path} cannot be read: {error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # no day 31 in February, a number without end
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadInputError(f"scenario {path}{where}: not valid YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(loaded, dict):
        raise BadInputError(f"scenario {path}: expected keys and values (name, load, …), found {type(loaded).__name__}")
    return loaded


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        inner = merged.get(key)
        merged[key] = _merge(inner, value) if isinstance(value, dict) and isinstance(inner, dict) else value
    return merged


def nested(changes: dict[str, Any]) -> dict[str, Any]:
    """`{"load.rate_per_s": 5}` as `{"load": {"rate_per_s": 5}}`; values that are None are left out."""
    result: dict[str, Any] = {}
    for path, value in changes.items():
        if value is None:
            continue
        *parents, last = path.split(".")
        place = result
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return result


def parse_scenario(raw: dict[str, Any], source: str, names: dict[str, str] | None = None) -> Scenario:
    """Validate `raw`. `names` maps key paths to the command-line options that set them, for error messages."""
    domain = raw.get("domain", "fraud")
    if not isinstance(domain, str) or domain not in SCENARIO_TYPES:
        raise BadInputError(f"{source}: domain = {domain!r}: must be one of {', '.join(SCENARIO_TYPES)}")
    try:
        return SCENARIO_TYPES[domain].model_validate(raw)
    except ValidationError as error:
        raise BadInputError(explain_problems(error, source, names or {})) from None


def shipped_domain(name: str) -> Domain:
    """What a shipped scenario streams, so that it can be loaded by name alone."""
    found = _read_yaml(SCENARIOS / f"{name}.yaml").get("domain", "fraud")
    return "aml" if found == "aml" else "fraud"


def load_scenario(
    path: Path | str,
    changes: dict[str, Any] | None = None,
    names: dict[str, str] | None = None,
    domain: Domain = "fraud",
) -> Scenario:
    """The scenario of a file, or of a shipped name (`fraud`), with `changes` by key path put over it.

    Raises BadInputError with file, key path, value and bound for everything that is wrong, and for a scenario of
    another domain than the command's.
    """
    shipped = SCENARIOS / f"{path}.yaml"
    file = shipped if isinstance(path, str) and shipped.is_file() else Path(path)
    if not file.is_file():
        shipped_ones = (p.relative_to(SCENARIOS).with_suffix("").as_posix() for p in SCENARIOS.rglob("*.yaml"))
        known = ", ".join(sorted(shipped_ones))
        raise BadInputError(f"scenario {path}: no such file, nor a shipped scenario (known: {known})")
    raw = _merge(_read_yaml(file), nested(changes or {}))
    scenario = parse_scenario(raw, str(file), names)
    if scenario.domain != domain:
        raise BadInputError(f"scenario {file}: domain = {scenario.domain}, but this command streams {domain}")
    return scenario
