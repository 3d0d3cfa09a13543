"""Do the reasons fit? What the first reason names, by fraud scenario, with what the scenario really did framed."""

from typing import Any

import numpy as np

from harness.report.contents import RunContents
from harness.report.plots.heat import Heat, heat_figure, heat_table
from harness.report.plots.style import BLUE, ORANGE, Key, Plot
from harness.report.table import Table, table
from harness.report.words import count, interval, share, spoken
from streams.causes import CAUSES


def reasons_plot(run: RunContents) -> Plot | None:
    """First reasons' causes by scenario; None where reasons could not be compared."""
    agreement = run.get("quality", "reason_agreement")
    if not agreement or not agreement.get("by_scenario"):
        return None
    scenarios: dict[str, dict[str, Any]] = agreement["by_scenario"]
    counts = {name: row.get("top_causes") or {} for name, row in scenarios.items()}
    named = [cause for cause in CAUSES if any(cause in row for row in counts.values())]
    wanted = frozenset((name, cause) for name, row in scenarios.items() for cause in row["causes"])
    columns = [cause for cause in CAUSES if cause in named or any(cause == c for _, c in wanted)]
    values = np.array([[float(counts[name].get(c, 0)) for c in columns] for name in scenarios])
    whole = np.array([max(float(row["explained"]), 1.0) for row in scenarios.values()])
    heat = Heat(list(scenarios), columns, values / whole[:, None], wanted)
    keys = (
        Key("share of the scenario's caught frauds whose first reason names it", BLUE, "box"),
        Key("what the scenario really did", ORANGE),
    )
    sentence = "Good reasons are blue inside the frames and faint outside."
    numbers = heat_table(heat, "First reason's cause (* what the scenario did)")
    figure = heat_figure(heat, "scenario", "cause the first reason names")
    return Plot("reasons-by-scenario", "Do the reasons name what happened?", sentence, figure, numbers, keys)


def agreement_note(run: RunContents) -> str:
    """The agreement in words; empty where reasons could not be compared."""
    found = run.get("quality", "reason_agreement")
    if not found:
        return ""
    words = (
        f"For {share(found['top_agrees'])} ({interval(found, 'top_agrees', share)}) of {count(found['explained'])} "
        "caught frauds with reasons, the first reason names something the fraud really did; dealt out at random it "
        f"would be {share(found['chance'])}."
    )
    specific, three = found.get("first_specific") or {}, found.get("any_of_three") or {}
    if specific.get("agrees") is not None:
        words += (
            " Without the anomaly score, which is no cause by itself, the first one left does for "
            f"{share(specific['agrees'])} (at random {share(specific['chance'])})."
        )
    if three.get("agrees") is not None:
        words += f" One of the first three does for {share(three['agrees'])} (at random {share(three['chance'])})."
    return words


def agreement_table(run: RunContents) -> Table | None:
    """Agreement overall, of the model's contributions alone, and by scenario, beside chance."""
    found = run.get("quality", "reason_agreement")
    if not found:
        return None
    model, three = found.get("model_top") or {}, found.get("any_of_three") or {}
    specific = found.get("first_specific") or {}
    rows = [
        _row("all: first reason", "", found["explained"], found, "top_agrees", found["chance"]),
        _row("all: largest contribution", "", model.get("events"), model, "agrees", model.get("chance")),
        _row("all: first but anomaly", "", specific.get("events"), specific, "agrees", specific.get("chance")),
        _row("all: one of the first three", "", three.get("events"), three, "agrees", three.get("chance")),
    ]
    rows += [
        _row(spoken(name), ", ".join(row["causes"]), row["explained"], row, "top_agrees", row["chance"])
        for name, row in found["by_scenario"].items()
    ]
    columns = ("Caught frauds", "Could be seen by", "Explained", "Agrees", "95% interval", "By chance")
    return table("How often the reason is right", columns, rows, words=(0, 1))


def _row(
    name: str, causes: str, explained: int | None, row: dict[str, float | None], key: str, chance: float | None
) -> tuple[str, ...]:
    return (name, causes, count(explained), share(row.get(key)), interval(row, key, share), share(chance))
