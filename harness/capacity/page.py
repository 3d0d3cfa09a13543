"""capacity.html: rate against P50, P99, lag and what was really sent, in one file that opens offline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, Label, NumeralTickFormatter, Span
from jinja2 import Environment, StrictUndefined
from jinja2.loaders import FileSystemLoader
from markupsafe import Markup

from harness.capacity.findings import limited_by, sentences, settled
from harness.capacity.search import Capacity
from harness.capacity.trial import Point
from harness.report.html import PAGE, bokeh_script, embed
from harness.report.plots.style import (
    AMBER,
    BLUE,
    FONT,
    GREEN,
    GREY,
    RED,
    TEAL,
    VIOLET,
    Key,
    Plot,
    Shape,
    add_hover,
    new_figure,
)
from harness.report.table import Cell, Table, Tone, table
from harness.report.words import DASH, count, ms, rate, score, significant
from harness.slo_option import LatencyLimit
from harness.verdict import ACHIEVED_SHARE_MIN

HALF_HEIGHT = 260
TEMPLATE = Path(__file__).parent
HELD, SCORER, HARNESS = "held", "not held", "not held, for the harness's sake"
MARKS: Mapping[str, tuple[str, str, Shape]] = {
    HELD: ("circle", GREEN, "box"),
    SCORER: ("x", RED, "box"),
    HARNESS: ("triangle", AMBER, "box"),
}
TIPS = [
    ("rate", "@rate{0,0}/s"), ("P50", "@p50{0,0.0} ms"), ("P99", "@p99{0,0.0} ms"), ("lag, at most", "@lag{0,0}"),
    ("sent", "@sent{0.0}% of the schedule"), ("", "@words"),
]  # fmt: skip


def page_of(found: Capacity, points: Sequence[Point], limit: LatencyLimit, setting: Mapping[str, Any]) -> str:
    """The page of a search, whole or stopped; `points` in any order, at least one."""
    ordered = settled(points)
    plots = {plot.name: plot for plot in (_latency(ordered, found, limit), _lag(ordered, found), _sent(ordered, found))}
    script, divs = embed(list(plots.values()))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader([TEMPLATE, PAGE]), trim_blocks=True
    )
    return environment.get_template("capacity.html.j2").render(
        title="Capacity" if found.rate_per_s is None else f"Capacity: {found.rate_per_s:,.0f} events/s",
        badge=_badge(found, points),
        setting_line=_setting_line(setting),
        sentences=sentences(found, points, limit),
        plots=plots,
        runs=_runs_table(ordered),
        reasons=_reasons_table(ordered),
        divs=divs,
        script=script,
        bokeh=bokeh_script(),
        # our own files: markup on purpose
        style=Markup((PAGE / "report.css").read_text(encoding="utf-8")),  # noqa: S704
        behaviour=Markup((PAGE / "report.js").read_text(encoding="utf-8")),  # noqa: S704
    )


def _badge(found: Capacity, points: Sequence[Point]) -> Cell:
    if not found.complete:
        return Cell("Stopped early", "watch")
    by_harness = limited_by(found, points) == "harness"
    if found.rate_per_s is None:
        return Cell("Not measurable here", "watch") if by_harness else Cell("No rate held", "bad")
    return Cell("At least: limit of the harness", "watch") if by_harness else Cell("Found", "good")


def _setting_line(setting: Mapping[str, Any]) -> str:
    parts = (
        setting["scenario"],
        f"engine {setting['engine']}",
        f"broker {setting['broker']}",
        f"workers {setting['workers']}",
        f"partitions {setting['partitions']}",
        f"{setting['duration_s']:g} s a run after {setting['warmup_s']:g} s of warm-up",
    )
    return " · ".join(parts)


def _kind(point: Point) -> str:
    if point.held:
        return HELD
    return HARNESS if point.limited_by == "harness" else SCORER


def _columns(points: Sequence[Point]) -> dict[str, Any]:
    """A row a run that came to its end; a lag of nothing is drawn at the foot of its axis."""
    ended = [point for point in points if point.p99_ms is not None]
    return {
        "rate": [point.rate_per_s for point in ended],
        "p50": [point.p50_ms for point in ended],
        "p99": [point.p99_ms for point in ended],
        "lag": [max(point.lag_max, 1) for point in ended],
        "sent": [100.0 * point.achieved_per_s / (point.scheduled_per_s or point.rate_per_s) for point in ended],
        "kind": [_kind(point) for point in ended],
        "words": [HELD if point.held else "; ".join(point.reasons) for point in ended],
    }


def _best(columns: Mapping[str, Any], name: str) -> tuple[list[float], list[float]]:
    """Each rate's lowest value: whatever else a machine does makes a run slower, never faster."""
    rates, values = np.array(columns["rate"]), np.array(columns[name], float)
    each = np.unique(rates)
    return each.tolist(), [float(values[rates == one].min()) for one in each]


def _ticks(rates: Sequence[float], found: Capacity, apart: float) -> list[float]:
    """The rates themselves, as many as can be told `apart` (a share of the axis); the capacity always."""
    wanted = sorted(set(rates), key=lambda rate: (rate != found.rate_per_s, rate))
    span = np.log(max(rates) / min(rates)) if rates else 0.0
    kept: list[float] = []
    for one in wanted:
        if all(abs(np.log(one / other)) >= apart * span for other in kept):
            kept.append(one)
    return sorted(kept)


def _mark_runs(plot: Any, columns: Mapping[str, Any], name: str) -> list[Key]:
    """A mark a run, by whether it was held; returns the legend's entries."""
    keys, drawn = [], []
    for kind, (marker, colour, shape) in MARKS.items():
        rows = [row for row, each in enumerate(columns["kind"]) if each == kind]
        if rows:
            source = ColumnDataSource({key: [values[row] for row in rows] for key, values in columns.items()})
            drawn.append(
                plot.scatter("rate", name, source=source, marker=marker, color=colour, size=11, line_width=2.5)
            )
            keys.append(Key(kind, colour, shape))
    add_hover(plot, TIPS, drawn)
    return keys


def _figure(y_label: str, points: Sequence[Point], found: Capacity, *, height: int, **options: Any) -> Any:
    """Rates on a logarithmic axis, labelled where runs were made; a line at the capacity."""
    plot = new_figure("events/s asked for", y_label, height=height, x_axis_type="log", **options)
    rates = [point.rate_per_s for point in points]
    plot.xaxis.ticker = FixedTicker(ticks=_ticks(rates, found, 0.09 if height > HALF_HEIGHT else 0.18))
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[00]")
    if found.rate_per_s is not None:
        span = Span(location=found.rate_per_s, dimension="height", line_color=GREEN, line_dash="dotted", line_width=2)
        plot.add_layout(span)
    return plot


def _latency(points: Sequence[Point], found: Capacity, limit: LatencyLimit) -> Plot:
    plot = _figure("response time, ms", points, found, height=400, y_axis_type="log")
    columns, keys = _columns(points), []
    for name, colour, words in (("p50", TEAL, "P50"), ("p99", BLUE, "P99")):
        plot.line(*_best(columns, name), color=colour, line_width=2.5)
        keys.append(Key(words, colour))
    floor = [point for point in points if point.floor_p99_ms]
    if floor:
        sought = {"rate": [p.rate_per_s for p in floor], "floor": [p.floor_p99_ms for p in floor]}
        plot.line(*_best(sought, "floor"), color=GREY, line_width=2, line_dash="dashed")
        plot.scatter(sought["rate"], sought["floor"], color=GREY, size=6)
        keys.append(Key("P99 of the floor (null scorer)", GREY, "dashed"))
    plot.add_layout(
        Span(location=limit.limit_ms, dimension="width", line_color=RED, line_dash="dashed", line_width=1.5)
    )
    label = Label(x=8, x_units="screen", y=limit.limit_ms, text=str(limit), text_baseline="bottom")
    label.text_color, label.text_font, label.text_font_size = RED, FONT, "12px"
    plot.add_layout(label)
    keys += [Key("limit", RED, "dashed"), *_capacity_key(found), *_mark_runs(plot, columns, "p99")]
    words = "Each mark is the P99 of one fresh run; lines run through the best run of each rate."
    return Plot("latency", "Response time by rate", words, plot, keys=tuple(keys))


def _capacity_key(found: Capacity) -> list[Key]:
    return [] if found.rate_per_s is None else [Key("capacity", GREEN, "dotted")]


def _lag(points: Sequence[Point], found: Capacity) -> Plot:
    plot = _figure("events", points, found, height=HALF_HEIGHT, y_axis_type="log")
    columns = _columns(points)
    plot.line(*_best(columns, "lag"), color=VIOLET, line_width=2)
    _mark_runs(plot, columns, "lag")
    return Plot("lag", "Lag by rate", "The most that was sent and not yet answered at the end of a second.", plot)


def _sent(points: Sequence[Point], found: Capacity) -> Plot:
    columns = _columns(points)
    foot = min([98.5, *(share - 0.5 for share in columns["sent"])])
    plot = _figure("% of the schedule", points, found, height=HALF_HEIGHT, y_range=(foot, 100.5))
    least = 100.0 * ACHIEVED_SHARE_MIN
    plot.add_layout(Span(location=least, dimension="width", line_color=RED, line_dash="dashed", line_width=1.5))
    _mark_runs(plot, columns, "sent")
    words = f"What the load process really sent, on time or not. Below {least:g}% the run says nothing of the scorer."
    return Plot("sent", "Achieved rate", words, plot)


def _runs_table(points: Sequence[Point]) -> Table:
    """Every run in figures."""
    columns = (
        "events/s", "held", "sent/s", "P50", "P99", "floor P99", "late P99", "table wait max", "lag",
        "lag growth/s", "changed", "precision@K",
    )  # fmt: skip
    return table("Every run", columns, [_row(point) for point in points], words=(1,))


def _row(point: Point) -> list[str | Cell]:
    otherwise = DASH if not point.shared else f"{count(point.changed)} of {count(point.shared)}"
    words = "yes" if point.held else f"no: {point.limited_by}"
    return [
        count(point.rate_per_s), Cell(words, _tone(point)), rate(point.achieved_per_s), ms(point.p50_ms),
        ms(point.p99_ms), ms(point.floor_p99_ms), ms(point.schedule_delay_p99_ms), ms(point.table_wait_max_ms),
        count(point.lag_max), significant(point.lag_growth_per_s), otherwise, score(point.precision_at_k),
    ]  # fmt: skip


def _tone(point: Point) -> Tone:
    return "good" if point.held else "watch" if point.limited_by == "harness" else "bad"


def _reasons_table(points: Sequence[Point]) -> Table | None:
    """Why runs were not held."""
    rows: list[list[str | Cell]] = [
        [count(point.rate_per_s), point.folder or DASH, Cell("; ".join(point.reasons), _tone(point))]
        for point in points
        if not point.held
    ]
    return table("Why not", ("events/s", "run folder", "reasons"), rows, words=(1, 2)) if rows else None
