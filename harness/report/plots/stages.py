"""Where the time goes: the way of an event in steps, for the mean event and for the slowest in a hundred."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from bokeh.models import ColumnDataSource, FactorRange

from harness.report.contents import RunContents
from harness.report.plots.style import BLUE, GREY, ORANGE, Plot, add_hover, new_figure, write
from harness.report.table import Table, table
from harness.report.words import ms

Floats = npt.NDArray[np.float64]
STAGES = (
    ("table_wait", "wait for day table"),
    ("features", "features"),
    ("rules", "rules"),
    ("model", "model"),
    ("explain", "explain"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way: its mean over all events, and over the slowest hundredth."""

    name: str
    mean_ms: float
    slow_ms: float


def steps_of(run: RunContents) -> list[Step]:
    """The steps from the intended instant to the decision's arrival; their means add up to the mean response time."""
    if run.decisions is None:
        return []
    rows = run.decisions.filter(pc.and_(run.decisions["measured"], run.decisions["received_ns"].is_valid()))
    rows = rows.filter(pc.and_(rows["taken_ns"].is_valid(), rows["emitted_ns"].is_valid()))
    if len(rows) == 0:
        return []

    def column(name: str) -> Floats:
        return np.asarray(rows[name].fill_null(0).to_numpy(), dtype=np.float64) / 1e6

    taken, emitted = column("taken_ns"), column("emitted_ns")
    named = [("sent late", column("sent_ns") - column("intended_ns")), ("to the scorer", taken - column("sent_ns"))]
    stages = [
        (words, column(f"stage_{stage}_ns"))
        for stage, words in STAGES
        if f"stage_{stage}_ns" in rows.column_names and rows[f"stage_{stage}_ns"].null_count < len(rows)
    ]
    rest = emitted - taken - sum((values for _, values in stages), np.zeros(len(rows)))
    named += [*stages, ("rest of the scorer", rest), ("back to the harness", column("received_ns") - emitted)]
    response = column("response_ns")
    slow = response >= np.quantile(response, 0.99)
    return [Step(name, float(values.mean()), float(values[slow].mean())) for name, values in named]


def stages_plots(run: RunContents) -> list[Plot]:
    """Two waterfalls from top to bottom; none when the scorer does not say when it took an event."""
    steps = steps_of(run)
    if not steps:
        return []
    mean = [step.mean_ms for step in steps]
    slow = [step.slow_ms for step in steps]
    names = [step.name for step in steps]
    return [
        Plot(
            "stages",
            "Where the time goes: the mean event",
            _sentence(names, mean, "mean event"),
            _waterfall(names, mean, BLUE),
        ),
        Plot(
            "stages-slow",
            "Where the time goes: the slowest 1%",
            _sentence(names, slow, "slowest hundredth"),
            _waterfall(names, slow, ORANGE),
            _table(steps),
        ),
    ]


def _waterfall(names: list[str], took: list[float], colour: str) -> Any:
    plot = new_figure(
        "ms since the intended instant", "", height=60 + 30 * len(names), y_range=FactorRange(*reversed(names))
    )
    until = np.cumsum(took)
    data = {"step": names, "from": until - np.array(took), "until": until, "took": took}
    bars = plot.hbar(
        "step",
        left="from",
        right="until",
        height=0.66,
        color=colour,
        source=ColumnDataSource(data),
        line_color=colour,
        line_width=1.5,
    )
    add_hover(plot, [("step", "@step"), ("took", "@took{0,0.000} ms")], [bars])
    _write_values(plot, names, took, until)
    plot.ygrid.grid_line_color = None
    plot.x_range.start, plot.x_range.end = min(0.0, *took), float(until[-1]) * 1.05
    return plot


def _write_values(plot: Any, names: list[str], took: list[float], until: Floats) -> None:
    """Each bar's value where there is room: behind it, before it, or within a bar that fills the plot."""
    starts, half = until - np.array(took), until[-1] / 2
    within = (until > half) & (starts < half / 2)
    places = (
        (until <= half, until, "left", 6, GREY),
        ((until > half) & ~within, starts, "right", -6, GREY),
        (within, until, "right", -6, "white"),
    )
    for rows, at, align, offset, colour in places:
        chosen = np.flatnonzero(rows)
        labels = {"x": at[chosen], "y": [names[n] for n in chosen], "words": [ms(took[n]) for n in chosen]}
        write(plot, labels, colour, align=align, offset=offset)


def _sentence(names: list[str], took: list[float], who: str) -> str:
    largest = int(np.argmax(took))
    return f"The {who} takes {ms(sum(took))}, most of it in “{names[largest]}” ({ms(took[largest])})."


def _table(steps: list[Step]) -> Table:
    rows = [(step.name, ms(step.mean_ms), ms(step.slow_ms)) for step in steps]
    total = ("Response time", ms(sum(s.mean_ms for s in steps)), ms(sum(s.slow_ms for s in steps)))
    return table("Mean time by step", ("Step", "All events", "Slowest 1%"), [*rows, total])
