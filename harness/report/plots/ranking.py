"""How well the scores rank: the precision-recall curve, and card precision@K per event-day under its ceiling."""

import datetime as dt
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, FixedTicker, NumeralTickFormatter

from harness.report.contents import RunContents
from harness.report.plots.bars import whiskers
from harness.report.plots.style import BLUE, GREY, ORANGE, RED, Key, Plot, add_hover, new_figure, value_labels
from harness.report.table import table
from harness.report.words import DASH, count, interval, score, share

BAND = "#3b82f62e"
TABLE_POINTS = 12
DAYS_WITH_LABELS = 10


def precision_recall_plot(run: RunContents) -> Plot | None:
    """The curve over all thresholds and the point the scorer works at; None without a fraud."""
    points = run.get("quality", "precision_recall")
    if not points:
        return None
    recall, precision, threshold = (list(column) for column in zip(*points, strict=True))
    plot = new_figure("recall", "precision", height=320, x_range=(-0.02, 1.02), y_range=(-0.02, 1.05))
    source = ColumnDataSource({"recall": recall, "precision": precision, "threshold": threshold})
    line = plot.step("recall", "precision", source=source, mode="before", color=BLUE, line_width=2.5)
    keys = [Key("all thresholds", BLUE)]
    band = run.get("quality", "precision_recall_band")
    if band:
        at_recall, low, high = (list(column) for column in zip(*band, strict=True))
        plot.varea(at_recall, low, high, color=BLUE, alpha=0.16)
        keys.append(Key("95% interval", BAND, "box"))
    wanted, of_all = ("suspicious", "customers") if run.get("aml") else ("frauds", "events")
    base = (run.get("quality", wanted) or 0) / max(run.get("quality", of_all) or 1, 1)
    plot.line([0, 1], [base, base], color=GREY, line_dash="dashed", line_width=1.5)
    keys.append(Key(f"by chance ({share(base, 2)})", GREY, "dashed"))
    at = (run.get("quality", "recall"), run.get("quality", "precision"))
    if None not in at:
        plot.scatter([at[0]], [at[1]], size=13, color=ORANGE, line_color="white", line_width=1.5, marker="diamond")
        keys.append(Key("as flagged (review or block)", ORANGE, "diamond"))
    plot.xaxis.formatter = plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    tips = [("recall", "@recall{0.0%}"), ("precision", "@precision{0.0%}"), ("score from", "@threshold{0.0000}")]
    add_hover(plot, tips, [line])
    pr_auc, roc_auc = run.get("quality", "pr_auc"), run.get("quality", "roc_auc")
    edges = (run.get("quality", "intervals") or {}).get("pr_auc") or {}
    sure = f" ({interval(edges, '', score)})" if edges.get("low") is not None else ""
    sentence = f"Average precision (PR-AUC) {score(pr_auc)}{sure}, ROC AUC {score(roc_auc)}. "
    if run.get("aml"):
        sentence += "Of customers, by their scores of the whole stream."
    else:
        sentence += "At its threshold the scorer finds "
        sentence += f"{share(at[0])} of the frauds, and {share(at[1])} of what it flags is fraud."
    chosen = np.unique(np.linspace(0, len(points) - 1, TABLE_POINTS).astype(int))
    rows = [(share(recall[i]), share(precision[i]), f"{threshold[i]:.4f}") for i in chosen]
    numbers = table("Points of the curve", ("Recall", "Precision", "Score from"), rows, words=())
    return Plot("precision-recall", "Precision and recall", sentence, plot, numbers, tuple(keys))


def precision_at_k_plot(run: RunContents) -> Plot | None:
    """Card precision@K for each event-day beside the best any ranking could reach; None without days."""
    days = run.get("quality", "days")
    if not days:
        return None
    k = run.get("quality", "k")
    data = {
        "label": [_short(day["day"]) for day in days],
        **{key: [day[key] for day in days] for key in ("day", "precision", "ceiling", "found", "compromised", "cards")},
    }
    source = ColumnDataSource(data)
    plot = new_figure("event-day", f"card precision@{k}", height=320, x_range=FactorRange(*data["label"]))
    ceiling = plot.vbar("label", top="ceiling", width=0.78, source=source, color=GREY, alpha=0.4)
    plot.vbar("label", top="precision", width=0.5, source=source, color=BLUE)
    whiskers(plot, "label", data["label"], days, "precision", "height")
    plot.y_range.start = 0
    tops = (max(day["ceiling"], day["precision"], day.get("precision_high") or 0.0) for day in days)
    plot.y_range.end = max(0.05, *tops) * 1.1
    plot.yaxis.formatter = NumeralTickFormatter(format="0.00")
    if len(days) > DAYS_WITH_LABELS:
        plot.xaxis.major_label_text_font_size = "0px"
    tips = [
        ("day", "@day"),
        ("precision", "@precision{0.000}"),
        ("ceiling", "@ceiling{0.000}"),
        ("found", "@found of @compromised compromised cards"),
        ("cards", "@cards{0,0}"),
    ]
    add_hover(plot, tips, [ceiling])
    keys = (Key("reached, 95% interval", BLUE, "box"), Key("ceiling: all there was to find", GREY, "box"))
    return Plot(
        "precision-at-k", f"Card precision@{k} by event-day", _at_k_sentence(run, k), plot, _day_table(days), keys
    )


def _short(day: str) -> str:
    date = dt.date.fromisoformat(day)
    return f"{date.day} {date:%b}"


def _at_k_sentence(run: RunContents, k: int) -> str:
    quality = run.get("quality") or {}
    words = f"Of the {k} most suspicious cards of a day, {share(quality.get('precision_at_k'))} were compromised on "
    words += "average; "
    words += f"the ceiling is {share(quality.get('precision_at_k_ceiling'))}."
    edges = (quality.get("intervals") or {}).get("precision_at_k") or {}
    if edges.get("low") is not None:
        words += f" 95% interval {interval(edges, '', share)}, from drawing cards anew."
    if quality.get("precision_at_k_deadline") is not None:
        words += f" Counting only decisions within the deadline: {share(quality['precision_at_k_deadline'])}."
    return words


def _day_table(days: list[dict[str, Any]]) -> Any:
    rows = [
        (
            d["day"],
            count(d["cards"]),
            count(d["compromised"]),
            count(d["found"]),
            score(d["precision"]),
            interval(d, "precision", score),
            score(d["ceiling"]),
        )
        for d in days
    ]
    columns = ("Day", "Cards", "Compromised", "Found", "Precision", "95% interval", "Ceiling")
    return table("By event-day", columns, rows)


def scenarios_plot(run: RunContents) -> Plot | None:
    """Recall by fraud scenario, and how often genuine look-alikes were flagged; None without either."""
    scenarios = run.get("quality", "scenarios") or {}
    look_alikes = run.get("quality", "look_alikes") or {}
    if not scenarios and not look_alikes:
        return None
    found = sorted(scenarios.items(), key=lambda pair: -(pair[1]["recall"] or 0))
    rows = [
        (name.replace("_", " "), row["recall"], BLUE, f"{row['caught']:,} of {row['frauds']:,} frauds caught")
        for name, row in found
    ]
    rows += [
        (
            f"{name.replace('_', ' ')} (genuine)",
            row["false_positive_rate"],
            RED,
            f"{row['flagged']:,} of {row['events']:,} genuine events flagged",
        )
        for name, row in sorted(look_alikes.items(), key=lambda pair: -(pair[1]["false_positive_rate"] or 0))
    ]
    names = [row[0] for row in rows]
    values = [row[1] or 0.0 for row in rows]
    plot = new_figure(
        "share flagged", "", height=70 + 26 * len(rows), x_range=(0, 1.65), y_range=FactorRange(*reversed(names))
    )
    data = {"name": names, "value": values, "colour": [row[2] for row in rows], "words": [row[3] for row in rows]}
    bars = plot.hbar("name", right="value", height=0.66, color="colour", source=ColumnDataSource(data))
    whiskers(plot, "name", names[: len(found)], [row for _, row in found], "recall", "width")
    ends = [max(value, row.get("recall_high") or 0.0) for value, (_, row) in zip(values, found, strict=False)]
    value_labels(plot, names, [*ends, *values[len(found) :]], [share(row[1]) for row in rows])
    plot.xaxis.formatter = NumeralTickFormatter(format="0%")
    plot.xaxis.ticker = FixedTicker(ticks=[0.0, 0.5, 1.0])
    plot.xgrid.ticker = plot.xaxis[0].ticker
    plot.ygrid.grid_line_color = None
    add_hover(plot, [("", "@name"), ("", "@words")], [bars])
    keys = (Key("fraud: recall, 95% interval", BLUE, "box"), Key("genuine look-alike: false positives", RED, "box"))
    numbers = _scenario_table(scenarios, look_alikes)
    return Plot("scenarios", "Recall by fraud scenario", _scenario_sentence(scenarios), plot, numbers, keys)


def _scenario_sentence(scenarios: dict[str, Any]) -> str:
    if not scenarios:
        return "No fraud in the stream is named; these are the genuine look-alikes."
    ordered = sorted(scenarios.items(), key=lambda pair: pair[1]["recall"] or 0)
    worst, best = ordered[0], ordered[-1]
    return (
        f"Best found: {best[0].replace('_', ' ')} ({share(best[1]['recall'])} of {count(best[1]['frauds'])}); "
        f"least: {worst[0].replace('_', ' ')} ({share(worst[1]['recall'])} of {count(worst[1]['frauds'])})."
    )


def _scenario_table(scenarios: dict[str, Any], look_alikes: dict[str, Any]) -> Any:
    rows = [
        (
            name.replace("_", " "),
            count(r["frauds"]),
            count(r["caught"]),
            share(r["recall"]),
            interval(r, "recall", share),
            share(r["recall_amount"]),
        )
        for name, r in scenarios.items()
    ]
    rows += [
        (
            f"{name.replace('_', ' ')} (genuine)",
            count(r["events"]),
            count(r["flagged"]),
            share(r["false_positive_rate"]),
            DASH,
            DASH,
        )
        for name, r in look_alikes.items()
    ]
    columns = ("Scenario", "Events", "Flagged", "Share flagged", "95% interval", "Share of the money")
    return table("By scenario", columns, rows)
