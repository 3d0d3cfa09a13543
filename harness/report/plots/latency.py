"""Response time by percentile, on an axis that gives every further nine the same room."""

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, Label, NumeralTickFormatter, Span

from harness.report.contents import FLOOR, RunContents
from harness.report.plots.style import (
    BLUE,
    FONT,
    GREY,
    PATH_COLOURS,
    RED,
    TEAL,
    Key,
    Plot,
    Shape,
    add_hover,
    new_figure,
)
from harness.report.table import Cell, Table, table
from harness.report.words import DASH, count, ms

POINTS = 160
TICKS = {2: "50%", 10: "90%", 100: "99%", 1_000: "99.9%", 10_000: "99.99%", 100_000: "99.999%"}
SHAPES: dict[str, Shape] = {"solid": "line", "dotted": "dotted", "dashed": "dashed"}
LINES = (
    ("response", "response", BLUE, 3.0, "solid"),
    ("service", "service", TEAL, 2.0, "solid"),
    ("response.rules", "response, rules", PATH_COLOURS["rules"], 1.5, "dotted"),
    ("response.model", "response, model", PATH_COLOURS["model"], 1.5, "dotted"),
    ("response.fallback", "response, fallback", PATH_COLOURS["fallback"], 1.5, "dotted"),
    (FLOOR, "floor (null scorer), response", GREY, 2.5, "dashed"),
)


def percentile_curve(histogram: Any) -> dict[str, list[float]]:
    """The curve of one histogram: `odds` = 1 / (1 − quantile), percentile, ms; up to its own sample size."""
    odds = np.geomspace(1.0, max(2.0, float(histogram.total_count)), POINTS)
    percentiles = (100.0 * (1.0 - 1.0 / odds)).tolist()
    values = histogram.get_percentile_to_value_dict(percentiles)
    highest = histogram.max_value
    return {
        "odds": odds.tolist(),
        "percentile": percentiles,
        "ms": [max(min(values[p], highest), 1) / 1e6 for p in percentiles],
    }


def latency_plot(run: RunContents) -> Plot | None:
    """Response, service and floor against the SLO; None when nothing was recorded."""
    found = [line for line in LINES if line[0] in run.histograms and run.histograms[line[0]].total_count > 0]
    if not found or found[0][0] == FLOOR:
        return None
    plot = new_figure(
        "percentile (each nine gets the same room)", "ms", height=360, x_axis_type="log", y_axis_type="log"
    )
    keys = []
    shown = []
    for tag, name, colour, width, dash in found:
        source = ColumnDataSource({**percentile_curve(run.histograms[tag]), "name": [name] * POINTS})
        shown.append(plot.line("odds", "ms", source=source, color=colour, line_width=width, line_dash=dash))
        keys.append(Key(name, colour, SHAPES[dash]))
    if _add_slo(plot, run):
        keys.append(Key("SLO", RED, "dashed"))
    plot.xaxis.ticker = FixedTicker(ticks=list(TICKS))
    plot.xaxis.major_label_overrides = TICKS
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[000]")
    add_hover(plot, [("", "@name"), ("percentile", "@percentile{0.[0000]}%"), ("time", "@ms{0,0.00} ms")], shown)
    return Plot("latency", "Latency by percentile", _sentence(run), plot, keys=tuple(keys))


def _add_slo(plot: Any, run: RunContents) -> bool:
    """The limits as a line each, with the percentile they are for."""
    found = False
    for key, odds, words in (("response_p99_ms", 100, "P99"), ("response_p999_ms", 1_000, "P99.9")):
        limit = run.get("slo", key)
        if not limit:
            continue
        found = True
        plot.add_layout(Span(location=limit, dimension="width", line_color=RED, line_dash="dashed", line_width=1.5))
        plot.scatter([odds], [limit], marker="inverted_triangle", color=RED, size=9)
        label = Label(x=1.15, y=limit, text=f"{words} ≤ {ms(limit)}", text_baseline="bottom")
        label.text_color, label.text_font, label.text_font_size = RED, FONT, "12px"
        plot.add_layout(label)
    return found


def _sentence(run: RunContents) -> str:
    response = run.get("latency_ms", "response") or {}
    floor = run.get("latency_ms", "floor", "response") or {}
    words = f"Half of all decisions came within {ms(response.get('p50'))} of the intended instant, 99 in 100 within "
    words += f"{ms(response.get('p99'))}, the slowest after {ms(response.get('max'))}."
    return f"{words} {_floor_words(run, floor)}"


def _floor_words(run: RunContents, floor: dict[str, Any]) -> str:
    if floor.get("p99") is not None:
        both = f"{ms(floor['p50'])} at P50 and {ms(floor['p99'])} at P99"
        return f"Broker and harness alone (a null scorer that only echoes) cost {both}."
    if run.get("engine") == "inprocess":
        return "There is no floor: in process nothing lies between harness and scorer."
    return "The floor was not measured (--no-floor): how much of this broker and harness cost alone is not known."


def impossible_words(run: RunContents) -> str:
    """How many values could not be, of the run and of its floor; empty where the run does not say."""
    latency = run.get("latency_ms") or {}
    said = [
        f"{count(found['negative'])} negative and {count(found['overflow'])} over a day{where}"
        for found, where in ((latency, ""), (latency.get("floor") or {}, " in the floor"))
        if found.get("negative") is not None and found.get("overflow") is not None
    ]
    return f"Values that cannot be, counted and in no distribution: {', '.join(said)}." if said else ""


def latency_table(run: RunContents) -> Table:
    """All distributions in ms."""
    latency = run.get("latency_ms") or {}
    limit = run.get("slo", "response_p99_ms")
    floor = latency.get("floor") or {}
    rows = [
        ("Response", latency.get("response")),
        ("Service", latency.get("service")),
        ("Schedule delay (the harness's own)", latency.get("schedule_delay")),
        ("Floor: response of a null scorer", floor.get("response")),
    ]
    for path, figures in (latency.get("by_path") or {}).items():
        rows.append((f"Response, path {path}", figures.get("response")))
    rows.append(("Explanation, after its decision", latency.get("explanation")))
    cells = [_row(name, figures, limit if name == "Response" else None) for name, figures in rows if figures]
    columns = ("", "Events", "P50", "P90", "P99", "P99.9", "Max")
    return table("Latency in milliseconds", columns, cells)


def _row(name: str, figures: dict[str, Any], limit: float | None) -> list[str | Cell]:
    p99 = figures.get("p99")
    tone = "" if limit is None or p99 is None else "good" if p99 <= limit else "bad"
    words = ms(p99) if limit is None else f"{ms(p99)} ({'within' if tone == 'good' else 'over'} {ms(limit)})"
    return [
        name,
        count(figures.get("count")) if "count" in figures else DASH,
        ms(figures.get("p50")),
        ms(figures.get("p90")),
        Cell(words, "bad" if tone == "bad" else "good" if tone == "good" else ""),
        ms(figures.get("p999")),
        ms(figures.get("max")),
    ]
