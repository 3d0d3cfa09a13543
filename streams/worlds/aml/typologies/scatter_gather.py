"""Scatter-gather: one account pays several middlemen, who all pay the same account on.

Looks like: a builder whose subcontractors buy from the same supplier.
"""

import numpy as np

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Scatter over middlemen, gather behind them."""
    rng = plot.rng
    source = int((plot.people(1, "source") if rng.random() < 0.5 else plot.shells(1, "source"))[0])
    sink = int((plot.people(1, "sink") if rng.random() < 0.5 else plot.shells(1, "sink"))[0])
    middlemen = plot.accomplices(source, int(rng.integers(3, 9)), "layer")
    total = plot.stake(source)
    ready = plot.place(np.array([source]), np.array([total]))
    usd = plot.parts(total, len(middlemen))
    got = plot.move(ready[0], source, middlemen, usd, rng.uniform(10, 60))
    on = plot.after_fee(usd)
    paid = plot.move(got, middlemen, sink, on, rng.uniform(10, 70))
    plot.keep(sink, 0.9 * on.sum(), paid.max())


TYPOLOGY = Typology("scatter_gather", 0.045, play, ("subcontracting",))
