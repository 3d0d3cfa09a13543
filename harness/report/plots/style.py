"""One look for all plots. Colours are told apart by lightness too, and hold 3:1 against a white and a dark page."""

from dataclasses import dataclass
from typing import Any, Literal

from bokeh.core.properties import value
from bokeh.models import BoxZoomTool, ColumnDataSource, CrosshairTool, HoverTool, ResetTool, SaveTool
from bokeh.plotting import figure

from harness.report.table import Table

BLUE, TEAL, VIOLET, ORANGE = "#3b82f6", "#0d9488", "#8b5cf6", "#ea580c"
RED, GREEN, GREY, AMBER = "#e11d48", "#16a34a", "#8a94a6", "#c27803"
PATH_COLOURS = {"rules": TEAL, "model": VIOLET, "fallback": ORANGE}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


Shape = Literal["line", "dashed", "dotted", "box", "diamond"]


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a plot's legend (drawn by the page, so that it wraps and can be read aloud)."""

    label: str
    colour: str
    shape: Shape = "line"


@dataclass(frozen=True, slots=True)
class Plot:
    """One figure of the report: `sentence` says what it shows in words, `table` holds the same numbers."""

    name: str
    title: str
    sentence: str
    figure: Any
    table: Table | None = None
    keys: tuple[Key, ...] = ()


def new_figure(x_label: str, y_label: str, *, height: int = 300, **options: Any) -> Any:
    """An empty figure that takes the width of its place; dragging scrolls the page, as readers on a phone expect."""
    tools = [BoxZoomTool(), ResetTool(), SaveTool()]
    plot = figure(
        height=height,
        sizing_mode="stretch_width",
        tools=tools,
        toolbar_location="above",
        toolbar_inner=True,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        x_axis_label=x_label,
        y_axis_label=y_label,
        min_border_left=8,
        min_border_right=14,
        lod_threshold=None,
        **options,
    )
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.toolbar.active_drag = None
    for axis in plot.axis:
        axis.axis_label_text_font = axis.major_label_text_font = FONT
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "12px"
        axis.axis_label_standoff = 8
        axis.minor_tick_line_color = None
    plot.xgrid.grid_line_color = None
    return plot


def add_hover(plot: Any, tips: list[tuple[str, str]], renderers: list[Any], *, along: bool = False) -> None:
    """Show values under the pointer; `along`: of all lines at that x."""
    plot.add_tools(HoverTool(tooltips=tips, renderers=renderers, mode="vline" if along else "mouse"))
    if along:
        plot.add_tools(CrosshairTool(dimensions="height", line_alpha=0.35, line_color=GREY))


def value_labels(plot: Any, y: list[Any], x: list[float], words: list[str]) -> None:
    """Write the value behind the end of each bar."""
    write(plot, {"x": x, "y": y, "words": words}, GREY)


def write(plot: Any, data: dict[str, Any], colour: str, *, align: str = "left", offset: int = 6) -> None:
    """Write `words` at (`x`, `y`); grey words follow the page's light or dark ink."""
    text = plot.text(
        "x",
        "y",
        "words",
        source=ColumnDataSource(data),
        x_offset=offset,
        text_align=align,
        text_baseline="middle",
        text_font=value(FONT),
        text_font_size="12px",
        text_color=colour,
    )
    text.glyph.tags = ["soft"] if colour == GREY else []
