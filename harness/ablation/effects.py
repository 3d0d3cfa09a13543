"""Is a difference an effect? Means, spreads and paired differences with their intervals, and a verdict by rule."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

MEASURES = ("average_precision", "card_precision_at_k", "recall")
BETTER, WORSE, NOTHING = "better", "worse", "no effect shown"


@dataclass(frozen=True, slots=True)
class Effect:
    """A measure of a variant: mean and standard deviation over the replicates, mean difference to the default on the
    same replicates with its 95% interval (None with fewer than two), and what that says."""

    mean: float
    sd: float | None
    difference: float
    low: float | None
    high: float | None
    verdict: str


def effect(values: list[float], default: list[float]) -> Effect:
    """The paired difference of replicates of a variant to those of the default, in the same order.

    The interval is Student's (t quantile, n − 1 degrees of freedom). The verdict is `better` or `worse` where it leaves
    out 0, else "no effect shown": nothing is claimed by the mean alone.
    """
    own, other = np.array(values), np.array(default)
    apart = own - other
    count, difference = len(apart), float(apart.mean())
    if count < 2:
        return Effect(float(own.mean()), None, difference, None, None, NOTHING)
    half = float(stdtrit(count - 1, 0.975)) * float(apart.std(ddof=1)) / float(np.sqrt(count))
    low, high = difference - half, difference + half
    verdict = BETTER if low > 0 else WORSE if high < 0 else NOTHING
    return Effect(float(own.mean()), float(own.std(ddof=1)), difference, low, high, verdict)


def effects(cells: list[dict[str, Any]], variants: list[str], measure: str) -> dict[str, Effect]:
    """Each variant's effect on a measure; a replicate is one world, window and seed (see `replicates`)."""
    found = {name: [float(cell[measure]) for cell in replicates(cells, name)] for name in variants}
    return {name: effect(values, found[variants[0]]) for name, values in found.items()}


def replicates(cells: list[dict[str, Any]], variant: str) -> list[dict[str, Any]]:
    """A variant's cells, ordered by case, window and seed."""
    chosen = [cell for cell in cells if cell["variant"] == variant]
    return sorted(chosen, key=lambda cell: (cell["case"], cell["window"], cell["seed"]))


def scenario_recalls(cells: list[dict[str, Any]], variants: list[str]) -> dict[str, dict[str, float]]:
    """Recall at the alert budget by fraud scenario and variant, over all frauds of all replicates."""
    found: dict[str, dict[str, float]] = {}
    for name in variants:
        frauds: dict[str, float] = {}
        hits: dict[str, float] = {}
        for cell in replicates(cells, name):
            for scenario, row in cell["by_scenario"].items():
                frauds[scenario] = frauds.get(scenario, 0.0) + row["frauds"]
                hits[scenario] = hits.get(scenario, 0.0) + row["frauds"] * row["recall"]
        for scenario, count in frauds.items():
            found.setdefault(scenario, {})[name] = hits[scenario] / count
    return dict(sorted(found.items()))
