"""capacity.html: rate against P50, P99 and lag, in one file that opens offline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, Span
from bokeh.resources import INLINE

from harness.capacity_trial import Point
from harness.report.plots.style import BLUE, GREEN, RED, TEAL, VIOLET, add_hover, new_figure
from harness.slo_option import LatencyLimit


def write_page(path: Path, capacity_per_s: float | None, points: Sequence[Point], limit: LatencyLimit) -> None:
    """Write the page of a search's points, in any order."""
    ordered = sorted(points, key=lambda point: (point.rate_per_s, not point.held))
    plots = column(_latency(ordered, capacity_per_s, limit), _lag(ordered, capacity_per_s), sizing_mode="stretch_width")
    words = "none held" if capacity_per_s is None else f"{capacity_per_s:,.0f} events/s"
    path.write_text(file_html(plots, INLINE, title=f"Capacity: {words} ({limit})"), encoding="utf-8")


def _source(points: Sequence[Point]) -> Any:
    return ColumnDataSource(
        {
            "rate": [point.rate_per_s for point in points],
            "p50": [point.p50_ms for point in points],
            "p99": [point.p99_ms for point in points],
            "lag": [point.lag_max for point in points],
            "colour": [GREEN if point.held else RED for point in points],
            "words": ["held" if point.held else "; ".join(point.reasons) for point in points],
        }
    )


TIPS = [("rate", "@rate{0,0}/s"), ("P50", "@p50{0,0.0} ms"), ("P99", "@p99{0,0.0} ms"), ("lag", "@lag"), ("", "@words")]


def _latency(points: Sequence[Point], capacity_per_s: float | None, limit: LatencyLimit) -> Any:
    plot = new_figure("events/s", "ms", height=360, x_axis_type="log", y_axis_type="log")
    plot.title.text = f"Response time by rate (green: {limit} held)"
    source = _source(points)
    for name, colour in (("p50", TEAL), ("p99", BLUE)):
        plot.line("rate", name, source=source, color=colour, line_width=2, legend_label=name.upper())
    dots = plot.scatter("rate", "p99", source=source, color="colour", size=9)
    add_hover(plot, TIPS, [dots])
    plot.add_layout(Span(location=limit.limit_ms, dimension="width", line_color=RED, line_dash="dashed"))
    _mark(plot, capacity_per_s)
    plot.legend.location = "top_left"
    return plot


def _lag(points: Sequence[Point], capacity_per_s: float | None) -> Any:
    plot = new_figure("events/s", "events waiting, at most", height=240, x_axis_type="log")
    source = _source(points)
    plot.line("rate", "lag", source=source, color=VIOLET, line_width=2)
    add_hover(plot, TIPS, [plot.scatter("rate", "lag", source=source, color="colour", size=9)])
    _mark(plot, capacity_per_s)
    return plot


def _mark(plot: Any, capacity_per_s: float | None) -> None:
    if capacity_per_s is not None:
        plot.add_layout(Span(location=capacity_per_s, dimension="height", line_color=GREEN, line_dash="dotted"))
