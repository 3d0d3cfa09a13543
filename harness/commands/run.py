"""`bench run …`: the whole path, measured."""

import os
import secrets
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness.commands.options import AsJson, CacheDir, Out, cache_folder
from harness.run import Finished, Outside, RunOptions, carry_out
from harness.scenario import Scenario, load_scenario
from harness.steps import Steps
from harness.summary import print_summary
from harness.verdict import EXIT_CODES
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Run a benchmark: stream, score, measure, judge, report.")


class EngineName(StrEnum):
    """Ours; a scorer of your own is reached through the topics."""

    faust = "faust"
    native = "native"
    inprocess = "inprocess"


class BrokerChoice(StrEnum):
    """Brokers that are started for the run."""

    apache = "apache"
    embedded = "embedded"


class ExplainChoice(StrEnum):
    """Which decisions carry the features' contributions."""

    flagged = "flagged"
    all = "all"
    none = "none"


LOAD, SCORER, KAFKA, DATA, WHERE = "Load", "Scorer", "Kafka", "Data", "Where"

OPTION_NAMES = {
    "load.rate_per_s": "--rate",
    "load.duration_s": "--duration",
    "load.warmup_s": "--warmup",
    "load.partitions": "--partitions",
    "scorer.engine": "--engine",
    "scorer.workers": "--workers",
    "scorer.explain": "--explain",
    "measure.k": "--k",
    "broker": "--broker",
}

Rate = Annotated[float | None, typer.Option(help="Events per second, on average.", rich_help_panel=LOAD)]
Duration = Annotated[
    float | None,
    typer.Option(
        help="Measured seconds, after the warm-up; with --data the default is to the end of the data.",
        rich_help_panel=LOAD,
    ),
]
Warmup = Annotated[
    float | None, typer.Option(help="Seconds sent and decided, but not measured, first.", rich_help_panel=LOAD)
]
Partitions = Annotated[
    int | None, typer.Option(help="Partitions of the events and decisions topics.", rich_help_panel=LOAD)
]
Seed = Annotated[
    int | None,
    typer.Option(
        help="One number that sets all four seeds: world N, arrivals N+1, faults N+2, training N+3.",
        rich_help_panel=LOAD,
    ),
]
Engine = Annotated[EngineName | None, typer.Option(help="Which of our engines to run.", rich_help_panel=SCORER)]
Workers = Annotated[
    int | None, typer.Option(help="Scorer processes that share the partitions.", rich_help_panel=SCORER)
]
Bundle = Annotated[
    Path | None, typer.Option(help="Folder of a trained bundle, instead of training one.", rich_help_panel=SCORER)
]
Rules = Annotated[Path | None, typer.Option(help="Rule file, instead of the shipped one.", rich_help_panel=SCORER)]
Explain = Annotated[
    ExplainChoice | None,
    typer.Option(help="Which decisions carry the features' contributions.", rich_help_panel=SCORER),
]
Broker = Annotated[
    BrokerChoice | None,
    typer.Option(
        help="Broker to start: apache (a real Kafka) or embedded; default: apache, or embedded where it can't be had.",
        rich_help_panel=KAFKA,
    ),
]
Servers = Annotated[str | None, typer.Option(help="HOST:PORT,… of a Kafka that runs already.", rich_help_panel=KAFKA)]
KafkaConfig = Annotated[
    Path | None, typer.Option(help="Properties file (SASL, TLS) for --bootstrap-servers.", rich_help_panel=KAFKA)
]
KeepTopics = Annotated[
    bool, typer.Option("--keep-topics", help="Leave the run's topics in Kafka.", rich_help_panel=KAFKA)
]
Data = Annotated[
    Path | None, typer.Option(help="CSV or Parquet file to stream, instead of the world.", rich_help_panel=DATA)
]
Columns = Annotated[
    str | None,
    typer.Option(
        help="Column map of --data: a YAML file, or a shipped name (handbook, riskbench).", rich_help_panel=DATA
    ),
]
K = Annotated[
    int | None, typer.Option("--k", help="Cards looked at per event-day, for precision@K.", rich_help_panel=DATA)
]
ScenarioFile = Annotated[str, typer.Option("--scenario", help="Scenario file, or the name of a shipped one.")]
NoFloor = Annotated[bool, typer.Option("--no-floor", help="Do not measure the null scorer first.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Do not write report.html.")]


def _seeds(seed: int | None) -> dict[str, Any]:
    if seed is None:
        return {}
    return {f"seeds.{name}": seed + step for step, name in enumerate(("world", "arrivals", "faults", "training"))}


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def run_and_tell(options: RunOptions, *, as_json: bool) -> Finished:
    """Carry out a run, telling of it on the right stream, and end with the verdict's exit code."""
    console = Console(stderr=as_json)
    outside = Outside(now=lambda: datetime.now(UTC), token=lambda: secrets.token_hex(2))
    finished = carry_out(options, Steps(console), outside)
    print_summary(finished.results, finished.folder, finished.report, console)
    if as_json:
        sys.stdout.write((finished.folder / "results.json").read_text(encoding="utf-8"))
        sys.stdout.flush()
    raise typer.Exit(EXIT_CODES[finished.results.verdict.status])


def _with_data(scenario: str, changes: dict[str, Any], data: Path, *, timed: bool) -> Scenario:
    changes = {**changes, "data.file": str(data.resolve())}
    loaded = load_scenario(scenario, changes, OPTION_NAMES)
    if timed:
        return loaded
    # to the end of the data
    return loaded.model_copy(update={"load": loaded.load.model_copy(update={"duration_s": None})})


@app.command()
def fraud(
    *,
    scenario: ScenarioFile = "fraud",
    rate: Rate = None,
    duration: Duration = None,
    warmup: Warmup = None,
    partitions: Partitions = None,
    seed: Seed = None,
    engine: Engine = None,
    workers: Workers = None,
    bundle: Bundle = None,
    rules: Rules = None,
    explain: Explain = None,
    broker: Broker = None,
    bootstrap_servers: Servers = None,
    kafka_config: KafkaConfig = None,
    keep_topics: KeepTopics = False,
    data: Data = None,
    columns: Columns = None,
    k: K = None,
    out: Out = Path("runs"),
    cache_dir: CacheDir = None,
    no_floor: NoFloor = False,
    no_report: NoReport = False,
    as_json: AsJson = False,
) -> None:
    """Card fraud: train a model, stream transactions through Kafka, and say how fast, right, stable and safe it is."""
    changes = {
        "load.rate_per_s": rate,
        "load.duration_s": duration,
        "load.warmup_s": warmup,
        "load.partitions": partitions,
        "scorer.engine": engine.value if engine else None,
        "scorer.workers": workers,
        "scorer.bundle": _absolute(bundle),
        "scorer.rules": _absolute(rules),
        "scorer.explain": explain.value if explain else None,
        "broker": broker.value if broker else None,
        "data.columns": _columns(columns),
        "measure.k": k,
        **_seeds(seed),
    }
    if columns is not None and data is None:
        raise BadInputError("--columns is the column map of a data file: give the file with --data FILE")
    if kafka_config is not None and bootstrap_servers is None:
        raise BadInputError("--kafka-config says how to be let into a running Kafka: give it with --bootstrap-servers")
    if broker is not None and bootstrap_servers is not None:
        raise BadInputError("--broker starts a broker, --bootstrap-servers reaches a running one: give one of the two")
    resolved = (
        load_scenario(scenario, changes, OPTION_NAMES)
        if data is None
        else _with_data(scenario, changes, data, timed=duration is not None)
    )
    options = RunOptions(
        scenario=resolved,
        out=out,
        cache=cache_folder(cache_dir),
        bootstrap_servers=bootstrap_servers,
        kafka_config=None if kafka_config is None else kafka_config.resolve(),
        keep_topics=keep_topics,
        report=not no_report,
        floor=not no_floor,
        environ=dict(os.environ),
    )
    run_and_tell(options, as_json=as_json)


def _columns(columns: str | None) -> str | None:
    """A column map's file as an absolute path, a shipped name as it is."""
    if columns is None:
        return None
    return str(Path(columns).resolve()) if Path(columns).suffix in {".yaml", ".yml"} else columns
