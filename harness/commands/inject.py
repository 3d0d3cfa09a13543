"""`bench inject …`: make something fail on purpose, and say what came of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from harness.commands import inject_aml
from harness.commands.carrying_out import run_and_tell
from harness.commands.changes import refuse_contradictions, seeds_from
from harness.commands.fault_options import Again, All, At, Keys, Kind, Lasting, Listing, Measured, Only, Write
from harness.commands.inject_asked import NAMES, Asked, list_faults, run_all, with_fault
from harness.commands.options import AsJson, CacheDir, Out, cache_folder
from harness.commands.run_options import (
    Broker,
    Bundle,
    Command,
    Engine,
    KafkaConfig,
    KeepTopics,
    NoFloor,
    NoReport,
    Partitions,
    Preset,
    Rate,
    Rules,
    ScenarioFile,
    Seed,
    Servers,
    Warmup,
    Workers,
)
from harness.run import RunOptions
from harness.scenario import load_scenario

app = typer.Typer(no_args_is_help=True, help="Make something fail on purpose, and measure what came of it.")
app.add_typer(inject_aml.app)


@app.command()
def fraud(
    context: typer.Context,
    keys: Keys = None,
    *,
    fault: Kind = None,
    at: At = None,
    duration: Lasting = None,
    run_duration: Measured = None,
    list_kinds: Listing = False,
    everything: All = False,
    only: Only = None,
    write: Write = None,
    again: Again = None,
    scenario: ScenarioFile = "fraud",
    rate: Rate = None,
    warmup: Warmup = None,
    partitions: Partitions = None,
    seed: Seed = None,
    engine: Engine = None,
    workers: Workers = None,
    bundle: Bundle = None,
    rules: Rules = None,
    scorer_command: Command = None,
    broker: Broker = None,
    bootstrap_servers: Servers = None,
    kafka_config: KafkaConfig = None,
    keep_topics: KeepTopics = False,
    preset: Preset = None,
    out: Out = Path("runs"),
    cache_dir: CacheDir = None,
    no_floor: NoFloor = False,
    no_report: NoReport = False,
    as_json: AsJson = False,
) -> None:
    """Card fraud with a fault on purpose: was it noticed, survived and recovered from, and what did it cost?

    Exit codes as of `bench run fraud`; with --all, 1 when any scenario did not pass.
    """
    if list_kinds:
        list_faults(Console())
        return
    refuse_contradictions(data=None, columns=None, broker=broker, servers=bootstrap_servers, config=kafka_config)
    changes: dict[str, Any] = {
        "load.rate_per_s": rate,
        "load.warmup_s": warmup,
        "load.duration_s": run_duration,
        "load.partitions": partitions,
        "scorer.engine": engine.value if engine else None,
        "scorer.workers": workers,
        "scorer.bundle": None if bundle is None else str(bundle.resolve()),
        "scorer.rules": None if rules is None else str(rules.resolve()),
        "scorer.command": scorer_command,
        "broker": broker.value if broker else None,
        "world.preset": preset.value if preset else None,
        **seeds_from(seed),
    }
    options = RunOptions(
        scenario=load_scenario(scenario, {**changes, "faults": []}, NAMES),
        out=out,
        cache=cache_folder(cache_dir),
        bootstrap_servers=bootstrap_servers,
        kafka_config=None if kafka_config is None else kafka_config.resolve(),
        keep_topics=keep_topics,
        report=not no_report,
        floor=not no_floor,
        environ=context.obj or {},
    )
    asked = Asked(
        scenario, fault, at, duration, keys or [], everything=everything, only=only or [], write=write, again=again
    )
    asked.refuse_contradictions()
    if everything:
        raise typer.Exit(run_all(asked, changes, options, as_json=as_json))
    run_and_tell(replace(options, scenario=with_fault(asked, changes, options.scenario)), as_json=as_json)
