"""What a replay is asked to do otherwise, as the scenario it then runs."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.drift.retraining.answering import OnDrift, refuse_unanswerable
from harness.replaying.earlier import Earlier
from harness.scenario import Engine, Scenario, load_scenario
from harness.training import given_bundle, given_rules, read_bundle
from streams.errors import BadInputError

NAMES = {
    "scorer.engine": "--engine",
    "scorer.workers": "--workers",
    "load.rate_per_s": "--speed",
    "load.warmup_s": "--speed",
    "load.duration_s": "--speed",
    "load.burst.every_s": "--speed",
    "load.burst.length_s": "--speed",
    "broker": "--broker",
}
ENGINES_OF_TRANSFERS = ("native", "inprocess")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be other than in the earlier run; None as it was. `speed` is how many times as fast the events go.
    `on_drift`: drift is answered while the stream lasts, which takes engine inprocess."""

    engine: Engine | None = None
    workers: int | None = None
    bundle: Path | None = None
    rules: Path | None = None
    broker: str | None = None
    bootstrap_servers: str | None = None
    speed: float = 1.0
    on_drift: OnDrift | None = None


def replayed_scenario(earlier: Earlier, wanted: Wanted) -> Scenario:
    """The earlier run's scenario with what is wanted, deciding by its own bundle and rules where no others are.

    Raises BadInputError for what cannot be.
    """
    engine = wanted.engine or ("inprocess" if wanted.on_drift is not None else earlier.scenario.scorer.engine)
    _refuse_impossible(earlier, engine, wanted)
    workers = 1 if engine == "inprocess" else wanted.workers
    changes = {
        "scorer.engine": engine,
        "scorer.workers": workers,
        "scorer.bundle": str((wanted.bundle or earlier.bundle).resolve()),
        "scorer.rules": str((wanted.rules or earlier.rules).resolve()),
        "broker": wanted.broker,
        **_faster(earlier.scenario, wanted.speed),
    }
    scenario = load_scenario(earlier.folder / "scenario.yaml", changes, NAMES, domain=earlier.domain)
    # before a run folder is begun
    if wanted.on_drift is not None:
        refuse_unanswerable(scenario)
    read_bundle(given_bundle(scenario) or earlier.bundle)
    given_rules(scenario)
    return scenario


def _refuse_impossible(earlier: Earlier, engine: str, wanted: Wanted) -> None:
    if earlier.domain == "aml" and engine not in ENGINES_OF_TRANSFERS:
        raise BadInputError(
            f"--engine {engine}: {earlier.folder} streamed transfers, whose engines are "
            f"{' and '.join(ENGINES_OF_TRANSFERS)}"
        )
    if engine != "inprocess":
        return
    if wanted.workers not in (None, 1):
        raise BadInputError(f"--workers {wanted.workers}: engine inprocess is one process: use another engine")
    for option, value in (("--broker", wanted.broker), ("--bootstrap-servers", wanted.bootstrap_servers)):
        if value is not None:
            raise BadInputError(f"{option} {value}: engine inprocess has no broker: give one of the two")


def _faster(scenario: Scenario, speed: float) -> dict[str, Any]:
    """Every time of the load and of the faults divided by `speed`, so that the same events meet the same faults."""
    if speed == 1.0:
        return {}
    load = scenario.load
    faults = [fault.model_dump(mode="json") for fault in scenario.faults]
    for fault in faults:
        fault |= {name: _earlier(fault[name], speed) for name in ("at_s", "duration_s") if fault[name] is not None}
    return {
        "load.rate_per_s": load.rate_per_s * speed,
        "load.warmup_s": load.warmup_s / speed,
        "load.duration_s": None if load.duration_s is None else load.duration_s / speed,
        "load.burst.every_s": load.burst.every_s / speed,
        "load.burst.length_s": load.burst.length_s / speed,
        "faults": faults,
    }


def _earlier(seconds: float, speed: float) -> float:
    """To the nanosecond, never later: a fault that ended with the load still does."""
    return math.floor(seconds / speed * 1e9) / 1e9
