"""What the P50, the P99 and the P99.9 are made of: a bar each, cut into the steps of an event's way."""

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, NumeralTickFormatter

from harness.made_of import made_of_words, step_words
from harness.report.contents import RunContents
from harness.report.plots.style import GREY, RED, Key, Plot, add_hover, new_figure, write
from harness.report.table import Table, table
from harness.report.words import DASH, count, ms, share
from harness.waterfall import STEPS

BARS = {"p50": "P50", "p99": "P99", "p999": "P99.9"}
COLOURS = {
    "sent": "#db2777",
    "broker": "#2563eb",
    "taken": "#c2410c",
    "table_wait": "#b45309",
    "features": "#0f766e",
    "rules": "#4d7c0f",
    "model": "#7e40ee",
    "explain": "#15803d",
    "emitted": "#a16207",
    "received": "#0b76b8",
    "answered": "#7e40ee",
    "lost": RED,
}
"""Darker than other plots': white words stand on them (4.5:1)."""
BAR_HEIGHT, FLOOR_HEIGHT, FLOOR_OFFSET = 0.46, 0.1, 0.36
WRITTEN_SHARE_MIN = 0.17
"""A part this wide has room for its time, on a phone too."""
GAP = 0.0015
FLOOR_SHARE_MAX = 1.3
"""A floor that is longer than the bar is drawn so far; its words say how long it is."""


def waterfall_plot(run: RunContents) -> Plot | None:
    """The bars; None when nothing was measured, or by a version that did not tell."""
    found = run.get("latency_ms", "waterfall") or {}
    at = {bar: found["at"][bar] for bar in BARS if bar in found.get("at", {})}
    if not at:
        return None
    words = step_words({*found["steps"], *(step for made in at.values() for step in made["parts"])})
    names = {bar: f"{BARS[bar]}\n{ms(made['response'])}" for bar, made in at.items()}
    plot = new_figure(
        "share of the response time",
        "",
        height=80 + 84 * len(at),
        y_range=FactorRange(*reversed(names.values())),
    )
    keys = [_draw_step(plot, step, words[step], at, names) for step in words if _shown(step, at)]
    reach = _draw_floor(plot, run, at, names)
    if reach:
        keys.append(Key("floor (null scorer)", GREY, "box"))
    plot.ygrid.grid_line_color = None
    plot.x_range.start, plot.x_range.end = 0.0, max(1.0, reach) * 1.01
    plot.xaxis.formatter = NumeralTickFormatter(format="0%")
    title = "Where the time goes: what P50, P99 and P99.9 are made of"
    return Plot("waterfall", title, _sentence(found, words), plot, _table(found, words), tuple(keys))


def _shown(step: str, at: dict[str, Any]) -> bool:
    return any(made["parts"].get(step, 0.0) > 0.0 for made in at.values())


def _draw_step(plot: Any, step: str, words: str, at: dict[str, Any], names: dict[str, str]) -> Key:
    """One step's part of every bar, with its time where there is room."""
    rows = []
    earlier = STEPS[: STEPS.index(step)]
    for bar, made in at.items():
        parts, whole = made["parts"], sum(made["parts"].values())
        before = sum(max(parts.get(other, 0.0), 0.0) for other in earlier)
        part = max(parts.get(step, 0.0), 0.0)
        if part > 0.0 and whole > 0.0:
            rows.append((names[bar], before / whole, (before + part) / whole, ms(part), share(part / whole)))
    places, left, right, took, of = (list(column) for column in zip(*rows, strict=True))
    data = {"bar": places, "left": left, "right": right, "took": took, "share": of, "step": [words] * len(rows)}
    colour = COLOURS[step]
    # the page shows between neighbours: they stay apart whatever their colours
    data["end"] = [until - min(GAP, (until - since) / 3) for since, until in zip(left, right, strict=True)]
    source = ColumnDataSource(data)
    bars = plot.hbar("bar", left="left", right="end", height=BAR_HEIGHT, color=colour, line_color=None, source=source)
    add_hover(plot, [("step", "@step"), ("time", "@took"), ("share", "@share")], [bars])
    wide = np.flatnonzero(np.array(right) - np.array(left) >= WRITTEN_SHARE_MIN)
    labels = {
        "x": [(left[n] + right[n]) / 2 for n in wide],
        "y": [places[n] for n in wide],
        "words": [took[n] for n in wide],
    }
    write(plot, labels, "white", align="center", offset=0)
    return Key(words, colour, "box")


def _draw_floor(plot: Any, run: RunContents, at: dict[str, Any], names: dict[str, str]) -> float:
    """The floor's same quantile under each bar, on the bar's scale; returns how far the longest reaches, 0 without."""
    floor = run.get("latency_ms", "floor", "response") or {}
    rows = [
        (names[bar], min(floor[bar] / made["response"], FLOOR_SHARE_MAX), f"floor {ms(floor[bar])}")
        for bar, made in at.items()
        if floor.get(bar) is not None and made["response"] > 0
    ]
    if not rows:
        return 0.0
    places, reach, words = (list(column) for column in zip(*rows, strict=True))
    data = {"bar": [(place, -FLOOR_OFFSET) for place in places], "reach": reach, "words": words}
    source = ColumnDataSource(data)
    bars = plot.hbar("bar", left=0, right="reach", height=FLOOR_HEIGHT, color=GREY, line_color=None, source=source)
    add_hover(plot, [("", "@words")], [bars])
    for short in (True, False):
        chosen = [n for n, share_ in enumerate(reach) if (share_ < 0.5) is short]
        labels = {
            "x": [reach[n] for n in chosen] if short else [0.0] * len(chosen),
            "y": [(places[n], -FLOOR_OFFSET) if short else (places[n], -FLOOR_OFFSET - 0.12) for n in chosen],
            "words": [words[n] for n in chosen],
        }
        write(plot, labels, GREY, offset=6 if short else 0)
    return float(max(reach))


def _sentence(found: dict[str, Any], words: dict[str, str]) -> str:
    """What the P99 is made of, seen on which events, and what is not known."""
    said = []
    made = found["at"].get("p99")
    if made:
        said.append(made_of_words("P99", made["parts"], words, ms))
        seen = f"Seen on the {count(made['events'])} events around it ({ms(made['low'])} to {ms(made['high'])})."
        said.append(seen)
    if "answered" in words and "taken" not in words:
        said.append("The scorer does not say when it took an event and when it answered.")
    if found.get("contradicting"):
        said.append(f"The scorer's instants of {count(found['contradicting'])} events cannot be true and are not used.")
    negative = sum(step["negative"] for step in found["steps"].values())
    if negative:
        said.append(f"{count(negative)} steps came out negative: counted, in no distribution.")
    return " ".join(said)


def _table(found: dict[str, Any], words: dict[str, str]) -> Table:
    """Parts of each quantile, then each step's own distribution."""
    at, steps = found["at"], found["steps"]

    def row(step: str) -> list[str]:
        parts = [ms(made["parts"].get(step)) for made in at.values()]
        own = steps.get(step) or {}
        return [words[step], *parts, *(ms(own.get(q)) for q in BARS), count(own.get("count"))]

    whole = ["Response time", *(ms(made["response"]) for made in at.values()), *(DASH for _ in BARS), DASH]
    columns = (
        "Step",
        *(f"Part of {BARS[bar]}" for bar in at),
        *(f"Own {name}" for name in BARS.values()),
        "Events",
    )
    return table("Steps of an event's way", columns, [*(row(step) for step in words), whole])
