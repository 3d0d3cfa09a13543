"""`python -m models kernels fraud|aml --entities N` and `… kernels graph`: what the kernels cost, as a line of JSON."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from models.features.state import warm_up as warm_features
from models.graph.markets import MarketTable
from models.graph.state import warm_up as warm_graph
from models.kernels.accounts import Accounts
from models.kernels.cards import Cards
from models.kernels.graph_speed import TRANSFERS, graph_speed
from models.kernels.growth import grow
from models.kernels.traffic import Traffic

app = typer.Typer(no_args_is_help=True, help="Measure the kernels of features and graph.")
Entities = Annotated[int, typer.Option(min=1_000, max=50_000_000, help="How many cards or accounts.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of history and events.")]


@app.command()
def fraud(entities: Entities, seed: Seed = 1) -> None:
    """The feature kernel with so many cards."""
    warm_features()
    _tell(lambda: Cards(entities, seed), seed)


@app.command()
def aml(entities: Entities, seed: Seed = 1) -> None:
    """The graph kernel with so many accounts."""
    warm_graph(MarketTable.of([]))
    _tell(lambda: Accounts(entities, seed), seed)


@app.command()
def graph(transfers: Annotated[int, typer.Option(min=1_000, help="How many transfers.")] = TRANSFERS) -> None:
    """The graph kernel on sparse transfers with cycles."""
    warm_graph(MarketTable.of([]))
    _print(graph_speed(transfers))


def _tell(make: Callable[[], Traffic], seed: int) -> None:
    _print(grow(make, seed))


def _print(found: dict[str, Any]) -> None:
    typer.echo(json.dumps(found))
