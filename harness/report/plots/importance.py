"""What drives the model's decisions: all of them, each fraud scenario, each segment, and over event time."""

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, NumeralTickFormatter

from harness.report.drivers import GENUINE_APPROVED, GENUINE_FLAGGED, Drivers
from harness.report.plots.heat import Heat, heat_figure, heat_table
from harness.report.plots.style import BLUE, Key, Plot, add_hover, new_figure, value_labels
from harness.report.table import Table, table
from harness.report.words import count, share, significant, spoken

BARS_MAX, ROWS_MAX = 15, 14
TITLES = {
    "scenario": ("What drives decisions, by fraud scenario", "fraud scenario"),
    "segment": ("What drives decisions, by customer segment", "segment"),
    "day": ("What drives decisions, over time", "event-day"),
}
TYPOLOGY_TITLE = ("What drives decisions, by typology", "typology")


def importance_plots(found: Drivers | None, *, of_transfers: bool = False) -> list[Plot]:
    """Overall, then a heat map of each grouping there is; empty without contributions. Transfers have typologies where
    cards have fraud scenarios."""
    if found is None:
        return []
    titles = TITLES | {"scenario": TYPOLOGY_TITLE} if of_transfers else TITLES
    maps = [_heat(found, kind, *titles[kind]) for kind in titles]
    return [_overall(found), *(plot for plot in maps if plot is not None)]


def _overall(found: Drivers) -> Plot:
    shown = min(BARS_MAX, len(found.features))
    names = [spoken(name) for name in found.features[:shown]]
    sizes = [float(size) for size in found.size[:shown]]
    whole = float(found.size.sum()) or 1.0
    plot = new_figure(
        "mean |contribution|, log-odds",
        "",
        height=70 + 24 * shown,
        x_range=(0, max(sizes, default=1.0) * 1.3 or 1.0),
        y_range=FactorRange(*reversed(names)),
    )
    data = {"name": names, "size": sizes, "share": [size / whole for size in sizes]}
    bars = plot.hbar("name", right="size", height=0.66, color=BLUE, source=ColumnDataSource(data))
    value_labels(plot, names, sizes, [share(size / whole) for size in sizes])
    plot.ygrid.grid_line_color = None
    plot.xaxis.formatter = NumeralTickFormatter(format="0.0[0]")
    add_hover(plot, [("", "@name"), ("log-odds", "@size{0.000}"), ("of all", "@share{0.0%}")], [bars])
    sentence = (
        "How far each feature moves the score up or down, on average over the model's decisions "
        f"({count(found.sampled)} of them sampled). First: {', '.join(names[:3])}."
    )
    return Plot("importance", "What drives the model's decisions", sentence, plot, _table(found))


def _table(found: Drivers) -> Table:
    whole = float(found.size.sum()) or 1.0
    rows = [
        (spoken(name), significant(float(size)), share(float(size) / whole))
        for name, size in zip(found.features, found.size, strict=True)
    ]
    return table("All features", ("Feature", "Mean |contribution|", "Of all"), rows)


def _heat(found: Drivers, kind: str, title: str, label: str) -> Plot | None:
    group = found.groups[kind]
    if len(group.names) < 2:
        return None
    shares = group.shares
    rows = np.sort(np.argsort(-shares.max(axis=1), kind="stable")[:ROWS_MAX])
    heat = Heat([found.features[row] for row in rows], group.names, shares[rows])
    keys = (Key("share of the column's |contribution|: the bluer, the more", BLUE, "box"),)
    numbers = heat_table(heat, title)
    figure = heat_figure(heat, "feature", label)
    sentence = _sentence(kind, heat)
    if group.left_out:
        sentence += f" Too few decisions to show: {', '.join(spoken(name) for name in group.left_out)}."
    return Plot(f"importance-{kind}", title, sentence, figure, numbers, keys)


def _sentence(kind: str, heat: Heat) -> str:
    if kind == "day":
        spread = heat.values.max(axis=1) - heat.values.min(axis=1)
        row = int(np.argmax(spread))
        return (
            f"A row of one shade is a feature that weighs the same every day. Least steady: {spoken(heat.rows[row])}, "
            f"between {share(float(heat.values[row].min()))} and {share(float(heat.values[row].max()))}."
        )
    leaders = {heat.rows[place] for place in np.argmax(heat.values, axis=0)}
    if len(leaders) == 1:
        return f"In every column {spoken(leaders.pop())} weighs most."
    best = [
        f"{spoken(name)}: {spoken(heat.rows[int(np.argmax(heat.values[:, place]))])}"
        for place, name in enumerate(heat.columns)
        if name not in {GENUINE_APPROVED, GENUINE_FLAGGED}
    ]
    more = " and so on" if len(best) > 4 else ""
    return f"The largest of each column – {'; '.join(best[:4])}{more}."
