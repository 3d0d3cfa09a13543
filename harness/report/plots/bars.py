"""Intervals on bars."""

from typing import Any

from bokeh.models import ColumnDataSource, Whisker

INK = "#7088ad"
"""Of whiskers: seen on the bars, on a white and on a dark page."""


def whiskers(plot: Any, base: str, names: list[str], rows: list[dict[str, Any]], key: str, dimension: str) -> None:
    """The interval of each bar, where it is known."""
    known = [(name, row) for name, row in zip(names, rows, strict=True) if row.get(f"{key}_low") is not None]
    data = {base: [name for name, _ in known]}
    data |= {end: [row[f"{key}_{end}"] for _, row in known] for end in ("low", "high")}
    whisker = Whisker(
        base=base, lower="low", upper="high", dimension=dimension, source=ColumnDataSource(data), line_color=INK
    )
    for head in (whisker.upper_head, whisker.lower_head):
        head.size, head.line_color = 7, INK
    plot.add_layout(whisker)
