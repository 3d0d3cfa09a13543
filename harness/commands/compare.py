"""`bench compare A B`: two runs side by side."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.comparison import Comparison, Difference, Figure, compare_runs, read_finished
from streams.errors import BadInputError

A = Annotated[Path, typer.Argument(help="Run folder to compare with.", show_default=False)]
B = Annotated[Path, typer.Argument(help="Run folder to compare.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Compare although machine, load or world differ.")]
Json = Annotated[bool, typer.Option("--json", help="Print the comparison as JSON to standard output.")]


def compare(a: A, b: B, *, force: Force = False, as_json: Json = False) -> None:
    """Two run folders side by side: latency, stages, counts and quality, with the change from A to B.

    Refused (exit code 2) when they ran on another machine, load or world, unless forced. Two single runs show what
    they measured, not whether a build is slower: for that there is `bench gate`.
    """
    found = compare_runs(read_finished(a), read_finished(b))
    if found.unequal and not force:
        lines = "\n".join(f"  {_line(difference)}" for difference in found.unequal)
        raise BadInputError(f"the runs are not comparable (--force compares them all the same):\n{lines}")
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), indent=2) + "\n")
        return
    _tell(found, Console())


def _line(difference: Difference) -> str:
    return f"{difference.key}: {_value(difference.a)} against {_value(difference.b)}"


def _value(value: object) -> str:
    return "–" if value is None else str(value)


def _tell(found: Comparison, console: Console) -> None:
    for difference in found.unequal:
        console.print(f"[yellow]![/] not equal: {_line(difference)}", highlight=False, soft_wrap=True)
    table = Table(title="A against B", caption=f"A {found.a}\nB {found.b}", caption_justify="left")
    for name in ("", "figure"):
        table.add_column(name)
    for name in ("A", "B", "change"):
        table.add_column(name, justify="right")
    group = ""
    for figure in found.figures:
        if figure.a is None and figure.b is None:
            continue
        table.add_row(figure.group if figure.group != group else "", figure.name, *_cells(figure))
        group = figure.group
    console.print(table)
    for difference in found.subject:
        console.print(f"differs: {_line(difference)}", highlight=False, soft_wrap=True)


def _cells(figure: Figure) -> tuple[str, str, str]:
    a, b = (_number(value, figure.unit) for value in (figure.a, figure.b))
    return a, b, "–" if figure.change is None else f"{figure.change:+.1%}"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    shown = f"{value:,.0f}" if value.is_integer() and abs(value) >= 1 else f"{value:,.4g}"
    return f"{shown} {unit}".strip()
