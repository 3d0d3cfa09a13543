"""A heat map of shares. Colour fades into the page, so that it reads on a light and on a dark one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.models import ColumnDataSource, FactorRange

from harness.report.plots.style import BLUE, ORANGE, add_hover, new_figure
from harness.report.table import Table, table
from harness.report.words import DASH, share, spoken

SLANTED_FROM = 24
"""Letters of all column names together, beyond which they are written aslant."""
ALPHA_LEAST = 0.04


@dataclass(frozen=True, slots=True)
class Heat:
    """`values` float64 [rows, columns] are shares (NaN: nothing there); `marked` cells get a frame."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: npt.NDArray[np.float64]
    marked: frozenset[tuple[str, str]] = frozenset()


def heat_figure(heat: Heat, row_label: str, column_label: str) -> Any:
    """The bluest cell is the largest share of the map."""
    rows, columns = [spoken(name) for name in heat.rows], [spoken(name) for name in heat.columns]
    slanted = sum(len(name) for name in columns) > SLANTED_FROM
    longest = max((len(name) for name in columns), default=0)
    plot = new_figure(
        column_label,
        "",
        height=75 + 24 * len(rows) + (min(130, 5 * longest) if slanted else 20),
        x_range=FactorRange(*columns),
        y_range=FactorRange(*reversed(rows)),
    )
    if slanted:
        plot.xaxis.major_label_orientation = 0.8
    plot.grid.grid_line_color = None
    plot.axis.axis_line_color = plot.axis.major_tick_line_color = None
    names = {"row": rows, "column": columns}
    cells = [(r, c) for r in range(len(rows)) for c in range(len(columns)) if not np.isnan(heat.values[r, c])]
    highest = max((float(heat.values[cell]) for cell in cells), default=0.0) or 1.0
    source = ColumnDataSource(
        {
            "row": [names["row"][r] for r, _ in cells],
            "column": [names["column"][c] for _, c in cells],
            "share": [float(heat.values[cell]) for cell in cells],
            "alpha": [ALPHA_LEAST + (1 - ALPHA_LEAST) * float(heat.values[cell]) / highest for cell in cells],
        }
    )
    drawn = plot.rect("column", "row", 0.96, 0.92, source=source, fill_color=BLUE, fill_alpha="alpha", line_color=None)
    framed = [(r, c) for r in range(len(rows)) for c in range(len(columns)) if _marked(heat, r, c)]
    plot.rect(
        [columns[c] for _, c in framed],
        [rows[r] for r, _ in framed],
        0.92,
        0.84,
        fill_color=None,
        line_color=ORANGE,
        line_width=2,
    )
    add_hover(plot, [(row_label, "@row"), (column_label, "@column"), ("share", "@share{0.0%}")], [drawn])
    return plot


def _marked(heat: Heat, row: int, column: int) -> bool:
    return (heat.rows[row], heat.columns[column]) in heat.marked


def heat_table(heat: Heat, caption: str) -> Table:
    """The same as numbers; marked cells have a star."""
    rows = []
    for r, name in enumerate(heat.rows):
        cells = [
            (DASH if np.isnan(value) else share(float(value))) + (" *" if _marked(heat, r, c) else "")
            for c, value in enumerate(heat.values[r])
        ]
        rows.append([spoken(name), *cells])
    return table(caption, ("", *(spoken(name) for name in heat.columns)), rows)
