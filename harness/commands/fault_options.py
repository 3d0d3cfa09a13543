"""Options of `bench inject` that say which faults."""

from pathlib import Path
from typing import Annotated

import typer

FAULT = "Fault"
MEASURED = "Measured seconds of the run; default: the scenario's, or as long as the fault needs."

Kind = Annotated[str | None, typer.Option("--fault", help="Kind of the fault (see --list).", rich_help_panel=FAULT)]
At = Annotated[
    float | None,
    typer.Option(
        "--at", help="Seconds since the start, warm-up included; default: 10 after it.", rich_help_panel=FAULT
    ),
]
Lasting = Annotated[float | None, typer.Option("--duration", help="Seconds it lasts.", rich_help_panel=FAULT)]
Keys = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]…", help="The kind's own keys, abort.… and expect.….")
]
Measured = Annotated[float | None, typer.Option("--run-duration", help=MEASURED, rich_help_panel="Load")]
Listing = Annotated[
    bool, typer.Option("--list", help="List the kinds and the ready scenarios, and end.", rich_help_panel=FAULT)
]
All = Annotated[
    bool, typer.Option("--all", help="Every ready scenario, one after the other.", rich_help_panel="All of them")
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="With --all: those that match (model-*); may be repeated.", rich_help_panel="All of them"),
]
Write = Annotated[
    Path | None,
    typer.Option(
        help="With --all: Markdown page that gets the table, in the broker's part.", rich_help_panel="All of them"
    ),
]
Again = Annotated[
    Path | None,
    typer.Option(
        help="With --all: go on in the folder of an earlier one; what passed there stands.",
        rich_help_panel="All of them",
    ),
]
