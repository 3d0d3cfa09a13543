"""What `bench inject` was asked for: one fault, every ready scenario, or a list of both."""

import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.commands.run_options import OPTION_NAMES
from harness.faults.campaign.again import passed_before
from harness.faults.campaign.campaign import FAULTS_FILE, FAULTS_PAGE, Campaign, tell
from harness.faults.campaign.markdown import part, write_part
from harness.faults.campaign.ready import FOLDERS, ready
from harness.faults.campaign.trial import Trial, exit_code
from harness.faults.kinds import KINDS
from harness.faults.shortcut import LEAD_S, fault_entry, own_keys, room_for
from harness.run import Outside, RunOptions
from harness.scenario import Scenario, load_scenario
from harness.shipped import about, names
from streams.errors import BadInputError
from streams.topics import Domain

NAMES = {**OPTION_NAMES, "load.duration_s": "--run-duration"}
SHARED = ("at_s", "at_event_time", "abort", "expect")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that say which faults. `at_s` and `duration_s` of a single one, in seconds."""

    scenario: str
    kind: str | None
    at_s: float | None
    duration_s: float | None
    keys: list[str]
    everything: bool
    only: list[str]
    write: Path | None
    again: Path | None = None
    domain: Domain = "fraud"

    def refuse_contradictions(self) -> None:
        """Raise BadInputError for options that do not belong together."""
        if self.everything and (self.kind is not None or self.keys or self.at_s is not None or self.duration_s):
            raise BadInputError(
                "--all has its faults in the ready scenarios: leave out --fault, --at, --duration, keys"
            )
        if self.everything and self.scenario != self.domain:
            raise BadInputError(
                f"--all runs the ready scenarios: leave out --scenario, or run it with bench run {self.domain}"
            )
        if not self.everything and (self.only or self.write is not None or self.again is not None):
            raise BadInputError("--only, --write and --again belong to --all")
        if not self.everything and self.kind is None:
            raise BadInputError(
                f"say which fault: --fault KIND, or --all (the kinds: bench inject {self.domain} --list)"
            )
        if self.write is not None and self.write.suffix != ".md":
            raise BadInputError(f"--write {self.write}: the page is Markdown; give a name that ends in .md")


def with_fault(asked: Asked, changes: Mapping[str, Any], plain: Scenario) -> Scenario:
    """The scenario with the one fault in it, long enough for it unless its length was asked for."""
    at_s = plain.load.warmup_s + LEAD_S if asked.at_s is None else asked.at_s
    entry = fault_entry(asked.kind or "", at_s, asked.duration_s, asked.keys)
    lasts = entry.get("duration_s", KINDS[entry["kind"]].model_fields["duration_s"].default)
    room = room_for(plain, at_s, lasts if isinstance(lasts, int | float) else 0.0)
    length = changes.get("load.duration_s")
    more = {"load.duration_s": room if length is None else length, "faults": [entry]}
    return load_scenario(asked.scenario, {**changes, **more}, NAMES, asked.domain)


def run_all(asked: Asked, changes: Mapping[str, Any], options: RunOptions, *, as_json: bool) -> int:
    """Every ready scenario; returns the exit code."""
    now = datetime.now(UTC)
    folder = (asked.again or options.out / f"{now:%Y%m%d-%H%M%S}-faults").resolve()
    console = Console(stderr=as_json)
    given = options.bootstrap_servers is not None
    chosen = ready(asked.only, changes, NAMES, given_kafka=given, domain=asked.domain)
    outside = Outside(now=lambda: datetime.now(UTC), token=lambda: secrets.token_hex(2))
    wanted = "a running Kafka" if options.bootstrap_servers else options.scenario.broker
    setting = f"{len(chosen)} scenarios on broker {wanted}, {now:%Y-%m-%d %H:%M} UTC"
    known = {} if asked.again is None else passed_before(folder, chosen)
    trials = Campaign(folder, options, outside, console).run(chosen, setting, known)
    tell(trials, console)
    console.print(f"\nreport: {folder / FAULTS_PAGE}", highlight=False, soft_wrap=True)
    if asked.write is not None:
        broker = _broker(trials, wanted)
        only = "".join(f" --only '{each}'" for each in asked.only)
        command = f"bench inject {asked.domain} --all --broker {broker}{only}"
        told = (
            ""
            if asked.again is None
            else f"; {len(known)} of them had passed before, the others were carried out again"
        )
        text = part(trials, broker, command, now.date().isoformat(), _setting(trials) + told)
        write_part(asked.write, broker, text)
    if as_json:
        sys.stdout.write((folder / FAULTS_FILE).read_text(encoding="utf-8"))
    return exit_code(trials)


def _broker(trials: list[Trial], wanted: str) -> str:
    """The broker that was really there."""
    found = [trial.results.broker.name for trial in trials if trial.results is not None]
    return found[0] if found else wanted


def _setting(trials: list[Trial]) -> str:
    results = next((trial.results for trial in trials if trial.results is not None), None)
    if results is None:
        return "no run came to its end"
    version = f" {results.broker.version}" if results.broker.version else ""
    return (
        f"{len(trials)} scenarios, {results.load.target_per_s:g} events/s, engine {results.engine}, "
        f"broker {results.broker.name}{version}"
    )


def list_faults(console: Console, domain: Domain = "fraud") -> None:
    """The kinds with their keys, and the ready scenarios."""
    kinds = Table(title="Kinds of faults", title_justify="left", header_style="bold")
    for name in ("kind", "what happens", "its keys"):
        kinds.add_column(name)
    for kind, fault in KINDS.items():
        if domain == "aml" and fault.need == "feed":
            continue
        fields = fault.model_fields
        keys = [f"{key}={_default(fields[key].default)}" for key in own_keys(kind) if key not in SHARED]
        kinds.add_row(kind, (sys.modules[fault.__module__].__doc__ or "").strip(), " ".join(keys))
    console.print(kinds)
    scenarios = Table(
        title=f"Ready scenarios (--all, or bench run {domain} --scenario {FOLDERS[domain]}/NAME)", title_justify="left"
    )
    for name in ("scenario", "what happens"):
        scenarios.add_column(name)
    for each in names(FOLDERS[domain], []):
        scenarios.add_row(each, about(FOLDERS[domain], each))
    console.print(scenarios)


def _default(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
