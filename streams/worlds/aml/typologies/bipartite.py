"""Bipartite: several sources pay several sinks, nearly everybody everybody.

Looks like: friends who settle a journey's costs.
"""

import numpy as np

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Let each source pay most of the sinks."""
    rng = plot.rng
    sources = plot.people(int(rng.integers(2, 5)), "source")
    sinks = plot.accomplices(int(sources[0]), int(rng.integers(2, 5)), "sink")
    of, payee = (side.ravel() for side in np.meshgrid(np.arange(len(sources)), sinks, indexing="ij"))
    kept = rng.random(len(of)) < 0.8
    kept[:2] = True
    of, payee = of[kept], payee[kept]
    stakes = np.array([plot.stake(int(source)) for source in sources])
    usd = stakes[of] / len(sinks) * np.exp(0.3 * rng.standard_normal(len(of)))
    paid = plot.move(plot.begin_ns, sources[of], payee, usd, rng.uniform(24, 120))
    for sink in sinks.tolist():
        got = payee == sink
        if got.any():
            plot.keep(sink, 0.9 * usd[got].sum(), paid[got].max())


TYPOLOGY = Typology("bipartite", 0.041, play, ("group",))
