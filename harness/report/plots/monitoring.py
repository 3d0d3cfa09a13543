"""What a money-laundering monitor finds: down the ranking, by typology, how soon; and whether each market is stable."""

from collections.abc import Mapping
from typing import Any

from bokeh.models import ColumnDataSource, FactorRange, FixedTicker, NumeralTickFormatter, Span

from harness.report.contents import RunContents
from harness.report.plots.bars import whiskers
from harness.report.plots.stability import COLOURS, index_bars
from harness.report.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    TEAL,
    VIOLET,
    Key,
    Plot,
    add_hover,
    new_figure,
    value_labels,
)  # fmt: skip
from harness.report.table import Table, table
from harness.report.words import DASH, count, interval, score, share, spoken

CURVES = (("precision", BLUE), ("customer_recall", TEAL), ("pattern_recall", VIOLET))
CURVE_WORDS = {
    "precision": "precision@K",
    "customer_recall": "launderers found",
    "pattern_recall": "patterns found (any member)",
}
MARKETS_MAX = 24
LABELS_AT = 1.03
"""Beyond every bar, interval and mark."""


def monitoring_plots(run: RunContents) -> dict[str, Plot | None]:
    """By the name under which the page places them; all None of a run that monitors nothing."""
    made = {"depth": depth_plot, "typologies": typologies_plot, "detection": detection_plot, "markets": markets_plot}
    return {name: plot(run) for name, plot in made.items()}


def depth_plot(run: RunContents) -> Plot | None:
    """Precision and recall over K, with the investigators' capacity and the budgets marked; None without a curve."""
    points = run.get("aml", "depths")
    if not points:
        return None
    lists = run.get("aml", "worklists")
    plot = new_figure("K: customers looked at (log scale)", "", height=340, x_axis_type="log", y_range=(-0.02, 1.05))
    source = ColumnDataSource({key: [point[key] for point in points] for key in ("customers", *CURVE_WORDS)})
    lines = [plot.line("customers", name, source=source, color=colour, line_width=2.5) for name, colour in CURVES]
    keys = [Key(CURVE_WORDS[name], colour) for name, colour in CURVES]
    for name, colour in CURVES:
        budgets = [(row["customers"], _at_budget(row, name)) for row in run.get("aml", "budgets")]
        known = [(x, y) for x, y in budgets if y is not None]
        plot.scatter([x for x, _ in known], [y for _, y in known], size=8, color=colour, line_color="white")
    if lists["listed"]:
        plot.add_layout(
            Span(location=lists["listed"], dimension="height", line_color=ORANGE, line_dash="dashed", line_width=2)
        )
        keys.append(Key(f"investigators' capacity: {count(lists['listed'])} in the stream", ORANGE, "dashed"))
    keys.append(Key("dots: the budgets", GREY, "box"))
    plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
    tips = [("K", "@customers{0,0}"), *((CURVE_WORDS[name], f"@{name}{{0.0%}}") for name in CURVE_WORDS)]
    add_hover(plot, tips, lines[:1], along=True)
    shown = points[:: max(1, len(points) // 12)]
    rows = [(count(p["customers"]), *(share(p[name]) for name in CURVE_WORDS)) for p in shown]
    numbers = table("Points of the curves", ("K", *(words.capitalize() for words in CURVE_WORDS.values())), rows)
    title = "Precision and recall over K"
    return Plot("depth", title, _depth_sentence(run, points, lists), plot, numbers, tuple(keys))


def _at_budget(budget: Mapping[str, Any], name: str) -> float | None:
    overall = budget["recall"]["overall"]
    values = {
        "precision": budget["precision"]["value"],
        "customer_recall": overall["customer_recall"],
        "pattern_recall": overall["recall"],
    }
    found: float | None = values[name]
    return found


def _depth_sentence(run: RunContents, points: list[dict[str, Any]], lists: Mapping[str, Any]) -> str:
    words = "All customers by their scores of the whole stream, the most suspicious first. "
    reached = [point for point in points if point["customers"] <= lists["listed"]]
    if reached:
        at = reached[-1]
        words += (
            f"As many as investigators look at ({lists['k']} a day, {count(lists['listed'])} in all): about "
            f"{share(at['precision'])} launder, {share(at['pattern_recall'])} of the patterns are found. "
        )
    words += (
        f"Their worklists, made day by day, reached precision {share(lists['precision']['value'])} and "
        f"{share(lists['recall']['overall']['recall'])} of the patterns."
    )
    return words


def typologies_plot(run: RunContents) -> Plot | None:
    """Recall of patterns by typology at the judged budget, and on worklists; None without patterns."""
    wanted = run.get("quality", "k_share")
    budget = next((row for row in run.get("aml", "budgets") or [] if row["share"] == wanted), None)
    if budget is None or not budget["recall"]["by_typology"]:
        return None
    found = sorted(budget["recall"]["by_typology"].items(), key=lambda pair: (-(pair[1]["recall"] or 0), pair[0]))
    listed = run.get("aml", "worklists")["recall"]["by_typology"]
    names = [spoken(name) for name, _ in found]
    values = [row["recall"] or 0.0 for _, row in found]
    soon = [(listed.get(name) or {}).get("recall") for name, _ in found]
    on_lists = [DASH if value is None else share(value) for value in soon]
    plot = new_figure(
        "patterns found", "", height=80 + 26 * len(found), x_range=(0, 1.85), y_range=FactorRange(*reversed(names))
    )
    data = {
        "name": names,
        "value": values,
        "words": [f"{count(row['found'])} of {count(row['patterns'])} patterns" for _, row in found],
        "soon": on_lists,
    }
    bars = plot.hbar("name", right="value", height=0.66, color=VIOLET, source=ColumnDataSource(data))
    whiskers(plot, "name", names, [row for _, row in found], "recall", "width")
    known = [(name, value) for name, value in zip(names, soon, strict=True) if value is not None]
    plot.scatter(
        [v for _, v in known], [n for n, _ in known], size=10, color=ORANGE, line_color="white", marker="diamond"
    )
    told = [f"{share(row['recall'], 0)} of {count(row['patterns'])}" for _, row in found]
    value_labels(plot, names, [LABELS_AT] * len(found), told)
    plot.xaxis.formatter = NumeralTickFormatter(format="0%")
    plot.xaxis.ticker = FixedTicker(ticks=[0.0, 0.5, 1.0])
    plot.ygrid.grid_line_color = None
    add_hover(plot, [("", "@name"), ("", "@words"), ("on worklists", "@soon")], [bars])
    keys = (
        Key(f"among the {share(wanted, 0)} most suspicious, 95% interval", VIOLET, "box"),
        Key("on worklists", ORANGE, "diamond"),
    )
    worst = found[-1]
    sentence = (
        f"Patterns with a member among the {share(wanted, 0)} most suspicious customers. Least found: "
        f"{spoken(worst[0])}, {share(worst[1]['recall'])} of {count(worst[1]['patterns'])}."
    )
    return Plot("typologies", "Recall by typology", sentence, plot, _typology_table(found, on_lists), keys)


def _typology_table(found: list[tuple[str, dict[str, Any]]], on_lists: list[str]) -> Table:
    rows = [
        (
            spoken(name),
            count(r["patterns"]),
            share(r["recall"]),
            interval(r, "recall", share),
            share(r["recall_half"]),
            after,
        )
        for (name, r), after in zip(found, on_lists, strict=True)
    ]
    columns = ("Typology", "Patterns", "Found", "95% interval", "Half of the members", "On worklists")
    return table("By typology", columns, rows)


def detection_plot(run: RunContents) -> Plot | None:
    """Share of all patterns found within so many days of their first transfer; None without patterns."""
    found = run.get("aml", "time_to_detect")
    if not found or not found.get("by_day"):
        return None
    by_day = [0.0, *found["by_day"]]
    plot = new_figure("days since the pattern's first transfer", "patterns found", height=340, y_range=(-0.02, 1.05))
    source = ColumnDataSource({"day": list(range(len(by_day))), "share": by_day})
    line = plot.step("day", "share", source=source, mode="after", color=VIOLET, line_width=2.5)
    keys = [Key("patterns with a member on a worklist", VIOLET)]
    for name, colour in (("p50_h", TEAL), ("p90_h", ORANGE)):
        if found[name] is not None:
            day = found[name] / 24
            plot.add_layout(
                Span(location=day, dimension="height", line_color=colour, line_dash="dashed", line_width=1.5)
            )
            keys.append(Key(f"{'half' if name == 'p50_h' else 'nine tenths'}: {day:.1f} days", colour, "dashed"))
    plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    add_hover(plot, [("within days", "@day"), ("found", "@share{0.0%}")], [line], along=True)
    sentence = (
        f"{count(found['found'])} of {count(found['patterns'])} patterns came on a worklist; "
        f"{share(found['while_active'])} of all before their last transfer. Patterns that were never found count as "
        "longer than any. A worklist is made at the end of a day."
    )
    rows = [(str(day), share(value)) for day, value in enumerate(by_day) if day]
    numbers = table("Patterns found within days", ("Days", "Found"), rows)
    return Plot("detection", "Time to detect", sentence, plot, numbers, tuple(keys))


def markets_plot(run: RunContents) -> Plot | None:
    """PSI of each market's scores against that market's reference; None where none has enough scores."""
    markets = run.get("aml", "psi_by_market") or {}
    rows = [
        (name, row["value"], row["threshold"], row["status"])
        for name, row in markets.items()
        if row["value"] is not None
    ]
    if not rows:
        return None
    rows.sort(key=lambda row: (-row[1], row[0]))
    warning, alarm = run.get("drift", "psi_warning") or 0.1, run.get("drift", "psi_alarm") or 0.25
    plot = index_bars(rows[:MARKETS_MAX], warning, alarm)
    keys = tuple(
        Key(status, colour, "box") for status, colour in COLOURS.items() if any(row[3] == status for row in rows)
    )
    judged = [row for row in rows if row[3] != "unknown"]
    sentence = f"Scores of each market against the same market's reference; dashed: {warning:g} and {alarm:g}. "
    sentence += (
        f"Largest of those with enough scores: {judged[0][0]}, {score(judged[0][1])}."
        if judged
        else "No market has enough scores to be judged."
    )
    if len(rows) > MARKETS_MAX:
        sentence += f" The {MARKETS_MAX} largest of {len(rows)} are drawn."
    return Plot("markets", "Stability by market (PSI)", sentence, plot, keys=keys)
