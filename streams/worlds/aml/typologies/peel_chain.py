"""Peel chain: money from virtual assets goes down a chain; at every step a little is peeled off.

Looks like: gains that are shared.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_OUT, NONE, VIRTUAL_ASSET
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Cash in virtual assets, pass on, peel."""
    rng = plot.rng
    holder = int(plot.people(1, "source")[0])
    held = plot.stake(holder) * 1.3
    country = plot.abroad(holder) if rng.random() < 0.6 else plot.market
    now = plot.move(plot.begin_ns, NONE, holder, np.array([held]), 12.0, channel=VIRTUAL_ASSET, country=country)
    plot.keep(holder, 0.2 * held, now)
    for following in plot.accomplices(holder, int(rng.integers(3, 8)), "layer").tolist():
        peel = held * rng.uniform(0.05, 0.2)
        plot.move(now, holder, NONE, np.array([peel]), 40.0, channel=CASH_OUT, round_share=0.9)
        held = (held - peel) * 0.98
        now = plot.move(now, holder, following, np.array([held]), rng.uniform(3, 30))
        holder = following
    plot.keep(holder, held, now)


TYPOLOGY = Typology("peel_chain", 0.027, play, ("crypto_trader", "forward"))
