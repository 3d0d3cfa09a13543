"""`bench inject aml`: a fault on purpose in money-laundering monitoring."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from harness.commands.carrying_out import run_and_tell
from harness.commands.changes import absolute, refuse_contradictions, seeds_from
from harness.commands.fault_options import Again, All, At, Keys, Kind, Lasting, Listing, Measured, Only
from harness.commands.inject_asked import NAMES, Asked, list_faults, run_all, with_fault
from harness.commands.options import AsJson, CacheDir, Out, cache_folder
from harness.commands.run_options import (
    Broker,
    Bundle,
    KafkaConfig,
    KeepTopics,
    NoFloor,
    NoReport,
    Rate,
    ScenarioFile,
    Seed,
    Servers,
    TransferEngine,
    Warmup,
)
from harness.run import RunOptions
from harness.scenario import load_scenario

app = typer.Typer()


@app.command()
def aml(
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
    again: Again = None,
    scenario: ScenarioFile = "aml",
    rate: Rate = None,
    warmup: Warmup = None,
    seed: Seed = None,
    engine: TransferEngine = None,
    bundle: Bundle = None,
    broker: Broker = None,
    bootstrap_servers: Servers = None,
    kafka_config: KafkaConfig = None,
    keep_topics: KeepTopics = False,
    out: Out = Path("runs"),
    cache_dir: CacheDir = None,
    no_floor: NoFloor = False,
    no_report: NoReport = False,
    as_json: AsJson = False,
) -> None:
    """Money laundering with a fault on purpose: was it noticed, survived and recovered from?

    Exit codes as of `bench run aml`; with --all, 1 when any scenario did not pass.
    """
    if list_kinds:
        list_faults(Console(), "aml")
        return
    refuse_contradictions(data=None, columns=None, broker=broker, servers=bootstrap_servers, config=kafka_config)
    changes: dict[str, Any] = {
        "load.rate_per_s": rate,
        "load.warmup_s": warmup,
        "load.duration_s": run_duration,
        "scorer.engine": engine.value if engine else None,
        "scorer.bundle": absolute(bundle),
        "broker": broker.value if broker else None,
        **seeds_from(seed),
    }
    options = RunOptions(
        scenario=load_scenario(scenario, {**changes, "faults": []}, NAMES, "aml"),
        out=out,
        cache=cache_folder(cache_dir),
        bootstrap_servers=bootstrap_servers,
        kafka_config=None if kafka_config is None else kafka_config.resolve(),
        keep_topics=keep_topics,
        report=not no_report,
        floor=not no_floor,
        environ=context.obj or {},
    )
    chosen = only or []
    asked = Asked(
        scenario, fault, at, duration, keys or [], everything=everything, only=chosen, write=None, again=again,
        domain="aml",
    )  # fmt: skip
    asked.refuse_contradictions()
    if everything:
        raise typer.Exit(run_all(asked, changes, options, as_json=as_json))
    run_and_tell(replace(options, scenario=with_fault(asked, changes, options.scenario)), as_json=as_json)
