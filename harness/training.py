"""The model and the warm state, made by the rooms that own them, as processes; both cached by content."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.cache import ROOT, cached_folder, content_key, hash_file, hash_path, hash_sources
from harness.prepared import Prepared
from harness.processes import Child, Family, module_command
from harness.scenario import Scenario
from streams.errors import BadInputError, RunInvalidError

TRAINING_S, WARMING_S = 1_800.0, 900.0
POLL_S = 0.2
SHIPPED_RULES = {"fraud": ROOT / "rules" / "fraud.yaml", "aml": ROOT / "rules" / "aml"}
"""By domain: one pack, or a folder of a pack a typology."""
SERVING_CODE = ("models", "rules", "scorer", "streams/*.py", "streams/kernels", "streams/markets")
"""What the warm state is made by; brokers, worlds and data sets have no part in it."""
SERVING_LIBRARIES = ("numpy", "numba", "onnxruntime", "pyarrow")
Say = Callable[[str], None]


def _iso(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _latest_progress(log: Path) -> str | None:
    for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
                return f"{found['step']} {float(found['done']):.0%}"
            except (ValueError, KeyError, TypeError):
                continue
    return None


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where costly things are made: the cache, the run's logs, the run's processes, and who hears of progress."""

    cache: Path
    logs: Path
    family: Family
    say: Say


def run_step(shop: Workshop, name: str, command: list[str], timeout_s: float) -> Child:
    """Run a process to its end, telling its progress; raises with its own words when it fails."""
    log = shop.logs / f"{name}.log"
    child = shop.family.start(name, command, log, talk=True)
    deadline = time.monotonic() + timeout_s
    told = None
    while child.wait(POLL_S) is None:
        latest = _latest_progress(log)
        if latest and latest != told:
            told = latest
            shop.say(latest)
        if time.monotonic() > deadline:
            raise RunInvalidError(f"{name} took longer than {timeout_s:g} s; see {log}")
    if child.process.returncode != 0:
        raise child.failure()
    return child


def train(scenario: Scenario, prepared: Prepared, shop: Workshop, findings: Path | None = None) -> Path:
    """The bundle trained on the prepared history, from the cache where the same training was done before; `findings`
    of investigators are the only labels after the training window."""
    training, windows = scenario.training, prepared.windows
    delay_days = prepared.facts.get("label_delay_days")
    command = module_command(
        "models", "train", scenario.domain,
        "--events", str(prepared.file("history")),
        "--labels", str(prepared.file("history_labels")),
        "--cache-dir", str(shop.cache / "bundles"),
        "--train-from", _iso(windows.train_from_ns),
        "--train-until", _iso(windows.train_until_ns),
        "--label-delay-days", str(training.label_delay_days if delay_days is None else delay_days),
        "--seed", str(scenario.seeds.training),
        *_beside_transfers(scenario, prepared, ("accounts", "members")),
    )  # fmt: skip
    for option, value in (
        ("--findings", findings),
        ("--alert-budget-per-day", training.alert_budget_per_day),
        ("--review-share", training.review_share),
        ("--cost-missed-fraud", training.cost_missed_fraud),
        ("--cost-false-alert", training.cost_false_alert),
        ("--cost-false-block", training.cost_false_block),
    ):
        command += [] if value is None else [option, str(value)]
    child = run_step(shop, "training", command, TRAINING_S)
    lines = child.process.stdout.read().decode().splitlines() if child.process.stdout else []
    shop.family.stop(child)
    if not lines or not (Path(lines[-1]) / "bundle.json").is_file():
        raise RunInvalidError(f"training ended well but named no bundle; see {child.log}")
    return Path(lines[-1])


def _beside_transfers(scenario: Scenario, prepared: Prepared, names: Sequence[str]) -> list[str]:
    """Options for the tables that only transfers have."""
    if scenario.domain != "aml":
        return []
    return [part for name in names for part in (f"--{name}", str(prepared.file(name)))]


def given_bundle(scenario: Scenario) -> Path | None:
    """The bundle that the scenario names; None where one is to be trained. Raises BadInputError when it is missing."""
    given = scenario.scorer.bundle
    if given is None:
        return None
    bundle = Path(given).resolve()
    if not bundle.is_dir():
        raise BadInputError(f"--bundle {given}: no such directory")
    return bundle


def given_rules(scenario: Scenario) -> Path:
    """The rules that the scenario names, or the shipped ones: a file for card fraud, a folder of packs for money
    laundering. Raises BadInputError when they are not there."""
    rules = Path(scenario.scorer.rules) if scenario.scorer.rules else SHIPPED_RULES[scenario.domain]
    if scenario.domain == "aml" and not rules.is_dir():
        raise BadInputError(f"--rules {rules}: no such folder")
    if scenario.domain == "fraud" and not rules.is_file():
        raise BadInputError(f"--rules {rules}: no such file")
    return rules


def read_bundle(bundle: Path) -> dict[str, Any]:
    """bundle.json of a bundle directory; raises BadInputError when there is none."""
    try:
        found = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInputError(f"--bundle {bundle}: bundle.json cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise BadInputError(f"--bundle {bundle}: bundle.json holds no object")
    return found


def _warmed_by(scenario: Scenario) -> tuple[str, ...]:
    return ("history", "history_labels", *(("accounts",) if scenario.domain == "aml" else ()))


def warm(scenario: Scenario, prepared: Prepared, bundle: Path, rules: Path, shop: Workshop) -> tuple[Path, bool]:
    """The state a scorer starts from: history replayed once. Returns it and whether it was in the cache."""
    windows = prepared.windows
    key = content_key(
        {
            # not of the stream that follows: one history serves every length of it
            "history": [hash_file(prepared.file(name)) for name in _warmed_by(scenario)],
            "until_ns": windows.stream_start_ns,
            "reference_from_ns": windows.reference_from_ns,
            "bundle": hash_file(bundle / "bundle.json"),
            "rules": hash_path(rules),
            "code": hash_sources(SERVING_CODE),
            "libraries": {name: metadata.version(name) for name in SERVING_LIBRARIES},
        }
    )

    def make(folder: Path) -> None:
        command = module_command(
            "scorer", "warm",
            "--domain", scenario.domain,
            "--bundle", str(bundle),
            "--rules", str(rules),
            "--events", str(prepared.file("history")),
            "--labels", str(prepared.file("history_labels")),
            "--until-ns", str(windows.stream_start_ns),
            "--reference-from-ns", str(windows.reference_from_ns),
            "--out", str(folder),
            *_beside_transfers(scenario, prepared, ("accounts",)),
        )  # fmt: skip
        shop.family.stop(run_step(shop, "warming", command, WARMING_S))

    return cached_folder(shop.cache, "states", key, make)
