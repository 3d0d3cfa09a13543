"""Layered fan: fan-ins that flow into one another, or fan-outs that spread once more.

Looks like: a club whose teams collect for it.
"""

import numpy as np

from streams.worlds.aml.moves import latest, sums
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Let leaves pay (or be paid by) branches, and branches the root."""
    rng = plot.rng
    root = int((plot.people(1, "sink") if rng.random() < 0.5 else plot.shells(1, "sink"))[0])
    branches = plot.accomplices(root, int(rng.integers(2, 4)), "layer")
    width = rng.integers(2, 5, len(branches))
    of = np.repeat(np.arange(len(branches)), width)
    leaves = plot.people(len(of), "mule")
    of = of[: len(leaves)]
    usd = plot.parts(plot.stake(root), len(of))
    held = sums(usd, of, len(branches))
    if rng.random() < 0.5:
        paid = plot.move(plot.begin_ns, leaves, branches[of], usd, rng.uniform(15, 70))
        there = latest(paid, of, len(branches))
        on = plot.move(there, branches, root, plot.after_fee(held), rng.uniform(8, 50))
        plot.keep(root, 0.9 * held.sum(), on.max())
    else:
        there = plot.move(plot.begin_ns, root, branches, held, rng.uniform(10, 50))
        got = plot.move(there[of], branches[of], leaves, plot.after_fee(usd), rng.uniform(8, 60))
        plot.keep(leaves, 0.9 * usd, got)


TYPOLOGY = Typology("layered_fan", 0.041, play, ("club_treasurer", "subcontracting"))
