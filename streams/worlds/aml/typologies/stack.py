"""Stack: two bipartite steps one upon the other: sources pay a middle layer, which pays sinks.

Looks like: a supply chain, a group of companies.
"""

import numpy as np

from streams.worlds.aml.moves import latest, sums
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Pay in two layers."""
    rng = plot.rng
    sources = plot.people(int(rng.integers(2, 5)), "source")
    middle = plot.accomplices(int(sources[0]), int(rng.integers(2, 4)), "layer")
    sinks = plot.people(int(rng.integers(2, 4)), "sink")
    payer, via = (side.ravel() for side in np.meshgrid(sources, np.arange(len(middle)), indexing="ij"))
    usd = 0.7 * plot.stake(int(middle[0])) / len(sources) * np.exp(0.3 * rng.standard_normal(len(payer)))
    paid = plot.move(plot.begin_ns, payer, middle[via], usd, rng.uniform(15, 70))
    there = latest(paid, via, len(middle))
    held = plot.after_fee(sums(usd, via, len(middle)))
    onward, of = (side.ravel() for side in np.meshgrid(np.arange(len(middle)), np.arange(len(sinks)), indexing="ij"))
    out = held[onward] / len(sinks) * np.exp(0.15 * rng.standard_normal(len(onward)))
    spread = plot.move(there[onward], middle[onward], sinks[of], out, rng.uniform(8, 60))
    plot.keep(sinks, 0.9 * sums(out, of, len(sinks)), latest(spread, of, len(sinks)))


TYPOLOGY = Typology("stack", 0.041, play, ("subcontracting", "treasury_sweep"))
