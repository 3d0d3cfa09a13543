"""`bench selftest`: does the instrument measure right on this machine?"""

import json
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import Broker, KafkaConfig, Servers
from harness.interruption import interruptible
from harness.latency import LatencyLog
from harness.processes import Family
from harness.selftest.bench import TestBench
from harness.selftest.findings import Finding
from harness.selftest.loadgen import (
    REQUIREMENT,
    account,
    drive_scorer,
    loadgen_installed,
    make_small_case,
    prove_loadgen,
)
from harness.selftest.proofs import prove_delay, prove_faults, prove_speed, prove_stall, prove_stopped_load
from harness.selftest.recorder import prove_extremes, prove_recorder
from harness.steps import Steps
from harness.training import Workshop
from streams.brokers import open_broker
from streams.brokers.connection import connection_from
from streams.errors import BadInputError

Seed = Annotated[
    int, typer.Option(min=0, help="Seed of which events the faults are planted on, and of LoadGen's schedule.")
]
Loadgen = Annotated[
    bool | None,
    typer.Option(
        "--loadgen/--no-loadgen",
        help="Hold our times against MLPerf LoadGen's on the same run; default: where it is installed.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the findings as JSON to standard output.")]


def selftest(
    context: typer.Context,
    *,
    seed: Seed = 1,
    broker: Broker = None,
    bootstrap_servers: Servers = None,
    kafka_config: KafkaConfig = None,
    loadgen: Loadgen = None,
    cache_dir: CacheDir = None,
    as_json: Json = False,
) -> None:
    """Plant known stalls, delays, losses, duplicates and swaps, and hold what is reported against what was done.

    Where MLPerf LoadGen is installed, it times our scorer in the same run as we do, and both have to agree.

    Exit code 0: the instrument said what it had to; 1: it did not, on this machine as busy as it is now.
    """
    if broker is not None and bootstrap_servers is not None:
        raise BadInputError("--broker starts a broker, --bootstrap-servers reaches a running one: give one of the two")
    with_loadgen = _loadgen_wanted(loadgen)
    console = Console(stderr=as_json)
    steps, findings = Steps(console), list[Finding]()
    connection = connection_from(bootstrap_servers, kafka_config) if bootstrap_servers else None
    with tempfile.TemporaryDirectory(prefix="riskbench-selftest-") as temporary, interruptible():
        folder = Path(temporary)
        with steps.step("Starting a broker"):
            opened = open_broker(
                broker.value if broker else None,
                run_dir=folder / "broker",
                cache_dir=cache_folder(cache_dir),
                connection=connection,
                environ=context.obj or {},
                progress=lambda *_: None,
            )
        with opened as started:
            started.start()
            bench = TestBench(started.connection, folder, lambda: secrets.token_hex(2))
            for title, prove in _proofs(bench, folder, seed):
                with steps.step(title):
                    findings += prove()
        if with_loadgen:
            findings += _under_loadgen(steps, folder, cache_folder(cache_dir), seed)
    if not with_loadgen:
        _say_left_out(steps)
    _tell(findings, console)
    if as_json:
        sys.stdout.write(json.dumps([{**asdict(found), "passed": found.passed} for found in findings], indent=2) + "\n")
    raise typer.Exit(0 if all(found.passed for found in findings) else 1)


def _proofs(bench: TestBench, folder: Path, seed: int) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    yield "The recorder's own cost", lambda: prove_recorder(folder / "recorder")
    yield "Negative and overflowing values", lambda: prove_extremes(LatencyLog())
    yield "A stall of 1.4 s at 2,000/s", lambda: prove_stall(bench.run)
    yield "A constant delay of 50 ms", lambda: prove_delay(bench.run)
    yield (
        "Losses, duplicates, garbled answers, phantoms, swaps",
        lambda: prove_faults(bench.run, np.random.default_rng(seed)),
    )
    yield "A load process stopped for 1 s", lambda: prove_stopped_load(bench.run)
    yield "20,000 events/s", lambda: prove_speed(bench.run)


def _loadgen_wanted(asked: bool | None) -> bool:
    installed = loadgen_installed()
    if asked and not installed:
        raise BadInputError(
            f"--loadgen: MLPerf LoadGen is not installed here; pip install {REQUIREMENT} (the extra `loadgen`)"
        )
    return installed if asked is None else asked


def _say_left_out(steps: Steps) -> None:
    how = "--no-loadgen" if loadgen_installed() else f"it is not installed; pip install {REQUIREMENT} (extra `loadgen`)"
    steps.note(f"left out: our times against MLPerf LoadGen's ({how})")


def _under_loadgen(steps: Steps, folder: Path, cache: Path, seed: int) -> list[Finding]:
    with Family() as family:
        with steps.step("A small world, its model and its state") as say:
            case = make_small_case(Workshop(cache, folder / "small", family, say))
        with steps.step("MLPerf LoadGen drives the scorer"):
            log = drive_scorer(case, folder / "loadgen", seed, family)
            return prove_loadgen(log, account(case.prepared.file("events"), folder / "loadgen", log))


def _tell(findings: list[Finding], console: Console) -> None:
    table = Table(title="Self-test: what the instrument said, and what it had to say", title_justify="left")
    for name in ("proof", "figure"):
        table.add_column(name)
    for name in ("expected", "found", "allowed ±"):
        table.add_column(name, justify="right")
    table.add_column("")
    for found in findings:
        table.add_row(
            found.proof, found.what, *(_number(v, found.unit) for v in (found.expected, found.found, found.allowed)),
            "[green]✓[/]" if found.passed else "[red]✗ wrong[/]",
        )  # fmt: skip
    console.print(table)
    failed = sum(not found.passed for found in findings)
    console.print("the instrument is right here" if not failed else f"{failed} of {len(findings)} figures are wrong")


def _number(value: float, unit: str) -> str:
    shown = f"{value:,.0f}" if not unit else f"{value:,.2f}"
    return f"{shown} {unit}".strip()
