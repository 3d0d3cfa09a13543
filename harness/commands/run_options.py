"""Options of `bench run …`, each with its unit."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class EngineName(StrEnum):
    """Ours; a scorer of your own is reached through the topics."""

    faust = "faust"
    native = "native"
    flink = "flink"
    inprocess = "inprocess"


class TransferEngineName(StrEnum):
    """Those of our engines that monitor transfers."""

    native = "native"
    inprocess = "inprocess"


class ScorerChoice(StrEnum):
    """Who starts the system under test: we, or somebody else."""

    ours = "ours"
    external = "external"


class BrokerChoice(StrEnum):
    """Brokers that are started for the run."""

    apache = "apache"
    embedded = "embedded"


class PresetChoice(StrEnum):
    """How hard fraud is to see in the world."""

    easy = "easy"
    medium = "medium"
    hard = "hard"


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
    "load.senders": "--senders",
    "load.collectors": "--collectors",
    "scorer.engine": "--engine",
    "scorer.workers": "--workers",
    "scorer.explain": "--explain",
    "scorer.kind": "--scorer",
    "scorer.settle_s": "--settle",
    "world.preset": "--preset",
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
    int | None,
    typer.Option(
        help="Partitions of the events and decisions topics; left out, one for each worker or collector.",
        rich_help_panel=LOAD,
    ),
]
Senders = Annotated[
    int | None,
    typer.Option(help="Load processes that share the schedule, for rates that one can't send.", rich_help_panel=LOAD),
]
Collectors = Annotated[
    int | None,
    typer.Option(
        help="Collecting processes that share the partitions of decisions, for rates that one can't read.",
        rich_help_panel=LOAD,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        help="One number that sets all seeds: world N, arrivals N+1, faults N+2, training N+3, drift N+4.",
        rich_help_panel=LOAD,
    ),
]
Engine = Annotated[EngineName | None, typer.Option(help="Which of our engines to run.", rich_help_panel=SCORER)]
TransferEngine = Annotated[
    TransferEngineName | None, typer.Option(help="Which of our engines to run.", rich_help_panel=SCORER)
]
Workers = Annotated[
    int | None, typer.Option(help="Scorer processes that share the partitions.", rich_help_panel=SCORER)
]
Bundle = Annotated[
    Path | None, typer.Option(help="Folder of a trained bundle, instead of training one.", rich_help_panel=SCORER)
]
Rules = Annotated[Path | None, typer.Option(help="Rule file, instead of the shipped one.", rich_help_panel=SCORER)]
Command = Annotated[
    str | None,
    typer.Option(
        help="Command of a scorer of your own, with {bootstrap_servers}, {events}, {decisions}, {group}, {ready}.",
        rich_help_panel=SCORER,
    ),
]
WhichScorer = Annotated[
    ScorerChoice | None,
    typer.Option(
        "--scorer",
        help="ours (the default), or external: nothing is started, whoever answers on the topics is measured.",
        rich_help_panel=SCORER,
    ),
]
Settle = Annotated[
    float | None,
    typer.Option(
        help="Seconds until the stream begins, for a scorer that cannot be seen to be ready: an external one without a "
        "consumer group, a command without {ready}.",
        rich_help_panel=SCORER,
    ),
]
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
TopicPrefix = Annotated[
    str | None,
    typer.Option(
        help="Name the run's topics PREFIX.events, PREFIX.decisions, …; default: a name no other run has.",
        rich_help_panel=KAFKA,
    ),
]
KeepTopics = Annotated[
    bool, typer.Option("--keep-topics", help="Leave the run's topics in Kafka.", rich_help_panel=KAFKA)
]
Preset = Annotated[
    PresetChoice | None,
    typer.Option(
        help="How hard fraud is to see in the world; the scenario's own keys go over it.", rich_help_panel=DATA
    ),
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
    int | None,
    typer.Option(
        "--k",
        help="Cards looked at per event-day, for precision@K; default: what the data's protocol says, else 10.",
        rich_help_panel=DATA,
    ),
]
ShareOf = Annotated[
    str | None,
    typer.Option(
        "--share",
        help="I/N: this host is one of N that run the stream together, each with its share of the cards (bench merge "
        "puts them together).",
        rich_help_panel=LOAD,
    ),
]
ScenarioFile = Annotated[str, typer.Option("--scenario", help="Scenario file, or the name of a shipped one.")]
NoFloor = Annotated[bool, typer.Option("--no-floor", help="Do not measure the null scorer first.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Do not write report.html.")]
