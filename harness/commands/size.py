"""`bench size`: how many partitions, workers, brokers and measuring processes a rate takes, from what a run cost."""

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from harness.marked_part import write_between
from harness.sizing.costs import latest_run, measured_costs
from harness.sizing.page import to_markdown
from harness.sizing.sizes import Assumed, size_of
from streams.errors import BadInputError

MARK = "bench size"
RATES = (1_000.0, 10_000.0, 100_000.0, 1_000_000.0)


class DomainName(StrEnum):
    """What is streamed."""

    fraud = "fraud"
    aml = "aml"


Rates = Annotated[list[float] | None, typer.Option("--rate", help="Events/s; may be given several times.")]
From = Annotated[
    Path | None,
    typer.Option("--from", help="Run folder whose costs are multiplied; default: the newest of the domain in --runs."),
]
Runs = Annotated[Path, typer.Option(help="Where the newest run is looked for.")]
Utilisation = Annotated[float, typer.Option(help="Share of a core that may be busy, 0.05 to 0.95.")]
Entities = Annotated[int, typer.Option("--cards", min=1, help="Cards (of aml: accounts) whose histories are held.")]
Copies = Annotated[int, typer.Option("--replication", min=1, max=9, help="Copies of every record.")]
Retention = Annotated[float, typer.Option("--retention-h", min=0, help="Hours that records are kept.")]
BrokerCores = Annotated[int, typer.Option(min=1, help="Cores of a broker.")]
Write = Annotated[Path | None, typer.Option(help="Put the table into this Markdown page, between two marks.")]
Json = Annotated[bool, typer.Option("--json", help="Print everything as JSON to standard output.")]


def size(
    *,
    rates: Rates = None,
    run: From = None,
    runs: Runs = Path("runs"),
    domain: Annotated[DomainName, typer.Option(help="What is streamed.")] = DomainName.fraud,
    utilisation: Utilisation = 0.5,
    cards: Entities = 1_000_000,
    replication: Copies = 3,
    retention: Retention = 24.0,
    broker_cores: BrokerCores = 8,
    write: Write = None,
    as_json: Json = False,
) -> None:
    """What a rate takes: partitions, workers, brokers, network, disk, memory, load and collecting processes, and which
    limit comes next; multiplied from what every event cost in a run. It starts nothing."""
    asked = rates or list(RATES)
    if not 0.05 <= utilisation <= 0.95:
        raise BadInputError(f"--utilisation {utilisation:g}: allowed are 0.05 to 0.95")
    for rate in asked:
        if not 0 < rate <= 1e9:
            raise BadInputError(f"--rate {rate:g} events/s: must be above 0 and at most 1,000,000,000")
    costs = measured_costs(run or latest_run(runs, domain.value))
    if costs.domain != domain.value:
        raise BadInputError(f"--from {run}: a run of {costs.domain}, and --domain is {domain.value}: give --domain too")
    assumed = Assumed(utilisation, replication, retention, cards, broker_cores)
    sizes = [size_of(rate, costs, assumed) for rate in sorted(asked)]
    page = to_markdown(sizes, costs, assumed, _command(asked, domain.value, assumed))
    if write is not None:
        write_between(write, f"{MARK} {domain.value}", page, "Sizing")
    if as_json:
        told = {"costs": asdict(costs), "assumed": asdict(assumed), "sizes": [each.to_dict() for each in sizes]}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    Console().print(Text(page), soft_wrap=True)


def _command(rates: list[float], domain: str, assumed: Assumed) -> str:
    """How it was called, but for the run, which is named beside it."""
    given = "" if rates == list(RATES) else "".join(f" --rate {rate:.10g}" for rate in rates)
    usual = Assumed()
    options = {
        "--utilisation": (assumed.utilisation, usual.utilisation),
        "--cards": (assumed.entities, usual.entities),
        "--replication": (assumed.replication, usual.replication),
        "--retention-h": (assumed.retention_h, usual.retention_h),
        "--broker-cores": (assumed.broker_cores, usual.broker_cores),
    }
    changed = "".join(f" {name} {value}" for name, (value, default) in options.items() if value != default)
    return f"bench size --domain {domain}{given}{changed}"
