"""How far score and features have moved from their reference: PSI and CSI as bars against the two limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.models import ColumnDataSource, FactorRange, NumeralTickFormatter, Span

from harness.report.contents import RunContents
from harness.report.plots.style import AMBER, GREEN, GREY, RED, Key, Plot, add_hover, new_figure, value_labels
from harness.report.table import Cell, Table, Tone, table
from harness.report.words import DASH, count, significant

COLOURS = {"stable": GREEN, "watch": AMBER, "drift": RED, "unknown": GREY}
TONES: dict[str, Tone] = {"stable": "good", "watch": "watch", "drift": "bad", "unknown": "quiet"}
BARS_MAX = 14
MONITOR = "monitor"
"""Kind of a detection that a monitor of the stream made."""
IndexRow = tuple[str, float, float | None, str]
"""Name, index, χ² threshold, status."""


def drift_rows(run: RunContents) -> list[IndexRow]:
    """The score first, then features from the largest index down."""
    drift = run.get("drift") or {}
    features = [
        (name, row["value"], row.get("threshold"), row.get("status", "unknown"))
        for name, row in (drift.get("features") or {}).items()
        if row.get("value") is not None
    ]
    features.sort(key=lambda row: -row[1])
    if drift.get("psi_score") is None:
        return features
    status = drift.get("score_status") or drift.get("status") or "unknown"
    return [("score (PSI)", drift["psi_score"], drift.get("psi_score_threshold"), status), *features]


def drift_plot(run: RunContents) -> Plot | None:
    """Bars of the largest indices; None when nothing could be measured."""
    rows = drift_rows(run)
    if not rows:
        return None
    shown = rows[:BARS_MAX]
    warning, alarm = run.get("drift", "psi_warning") or 0.1, run.get("drift", "psi_alarm") or 0.25
    plot = index_bars(shown, warning, alarm)
    keys = tuple(
        Key(status, colour, "box") for status, colour in COLOURS.items() if any(row[3] == status for row in shown)
    )
    return Plot("drift", "Stability of score and features", _sentence(run, warning, alarm), plot, keys=keys)


def index_bars(shown: Sequence[IndexRow], warning: float, alarm: float) -> Any:
    """A figure with a bar an index, coloured by its status, and the two limits."""
    right = max(alarm * 1.3, max(row[1] for row in shown) * 1.15)
    names = [row[0] for row in shown]
    plot = new_figure(
        "stability index", "", height=70 + 24 * len(shown), x_range=(0, right), y_range=FactorRange(*reversed(names))
    )
    values = [row[1] for row in shown]
    data: dict[str, list[Any]] = {
        "name": names,
        "value": values,
        "threshold": [row[2] if row[2] is not None else float("nan") for row in shown],
        "status": [row[3] for row in shown],
        "colour": [COLOURS[row[3]] for row in shown],
    }
    bars = plot.hbar("name", right="value", height=0.64, color="colour", source=ColumnDataSource(data))
    value_labels(plot, names, values, [f"{row[1]:.3f}" for row in shown])
    for limit, colour in ((warning, AMBER), (alarm, RED)):
        plot.add_layout(Span(location=limit, dimension="height", line_color=colour, line_dash="dashed", line_width=1.5))
    plot.xaxis.formatter = NumeralTickFormatter(format="0.00")
    plot.ygrid.grid_line_color = None
    tips = [
        ("", "@name"),
        ("index", "@value{0.0000}"),
        ("noise alone (99%)", "@threshold{0.0000}"),
        ("status", "@status"),
    ]
    add_hover(plot, tips, [bars])
    return plot


def _sentence(run: RunContents, warning: float, alarm: float) -> str:
    drift = run.get("drift") or {}
    events = count(drift.get("events"))
    detections = drift.get("detections") or []
    found = [row for row in detections if row["kind"] != MONITOR]
    words = f"Measured on {events} decisions of the model, against its reference. "
    words += f"Dashed: watch from {warning:g}, drift from {alarm:g}. "
    if drift.get("status") == "unknown":
        return words + "Too few events to say more." + _alarms(detections)
    if not found:
        return words + "Nothing has moved." + _alarms(detections)
    named = ", ".join(f"{row['name']} ({significant(row['value'])})" for row in found[:4])
    return words + f"Moved: {named}{' and others' if len(found) > 4 else ''}." + _alarms(detections)


def _alarms(detections: Sequence[Mapping[str, Any]]) -> str:
    """What the monitors raised while the stream lasted; nothing where they raised nothing."""
    alarms = [row for row in detections if row["kind"] == MONITOR]
    if not alarms:
        return ""
    return f" Alarms of the monitors while it lasted: {len(alarms)}, the first: {alarms[0]['why']}."


def drift_table(run: RunContents, rows_max: int | None = None) -> Table | None:
    """The indices with what noise alone would give, and their status in words and colour; None without any."""
    found = drift_rows(run)
    shown = found if rows_max is None else found[:rows_max]
    if not shown:
        return None
    rows = [
        (name, f"{value:.4f}", DASH if threshold is None else f"{threshold:.4f}", Cell(status, TONES.get(status, "")))
        for name, value, threshold, status in shown
    ]
    caption = "PSI of the score, CSI of the features" + ("" if len(shown) == len(found) else " (largest first)")
    return table(caption, ("Name", "Index", "Noise alone (99%)", "Status"), rows, words=(0, 3))
