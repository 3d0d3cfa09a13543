"""`python -m models kernels fraud|aml --entities N` and `… kernels graph`: what the kernels cost, as a line of JSON."""

import gc
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from models.features.state import warm_up as warm_features
from models.graph.markets import MarketTable
from models.graph.state import warm_up as warm_graph
from models.kernels.accounts import Accounts
from models.kernels.cards import Cards
from models.kernels.graph_speed import TRANSFERS, graph_speed
from models.kernels.growth import grow

app = typer.Typer(no_args_is_help=True, help="Measure the kernels of features and graph.")
Entities = Annotated[int, typer.Option(min=1_000, max=50_000_000, help="How many cards or accounts.")]
Result = Annotated[Path | None, typer.Option(help="write the JSON here instead of to standard output")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of history and events.")]


@app.command()
def fraud(entities: Entities, seed: Seed = 1, result: Result = None) -> None:
    """The feature kernel with so many cards."""
    warm_features()
    _tell(grow(lambda: Cards(entities, seed), seed), result)


@app.command()
def aml(entities: Entities, seed: Seed = 1, result: Result = None) -> None:
    """The graph kernel with so many accounts."""
    warm_graph(MarketTable.of([]))
    _tell(grow(lambda: Accounts(entities, seed), seed), result)


@app.command()
def graph(
    transfers: Annotated[int, typer.Option(min=1_000, help="How many transfers.")] = TRANSFERS, result: Result = None
) -> None:
    """The graph kernel on sparse transfers with cycles."""
    warm_graph(MarketTable.of([]))
    _tell(graph_speed(transfers), result)


def _tell(found: dict[str, Any], result: Path | None) -> None:
    gc.unfreeze()  # libraries find what is frozen at the end, and complain
    if result is None:
        typer.echo(json.dumps(found))
    else:
        result.write_text(json.dumps(found), encoding="utf-8")
