"""Draws a table of the report in the terminal."""

from rich.box import SIMPLE
from rich.table import Table as RichTable
from rich.text import Text

from harness.report.table import Table

STYLES = {"good": "green", "bad": "red", "watch": "yellow", "quiet": "dim", "": ""}


def drawn(found: Table) -> RichTable:
    """The same table for a console."""
    shown = RichTable(title=found.caption, title_justify="left", header_style="bold", box=SIMPLE)
    for index, name in enumerate(found.columns):
        shown.add_column(name, justify="left" if index in found.words else "right")
    for row in found.rows:
        shown.add_row(*(Text(cell.text, style=STYLES[cell.tone]) for cell in row))
    return shown
