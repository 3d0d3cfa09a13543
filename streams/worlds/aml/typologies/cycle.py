"""Cycle: money goes through several hands and comes back to where it began, a little less each time.

Looks like: a savings circle, friends who settle up, a group of companies that moves its cash.
"""

from itertools import pairwise

import numpy as np

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Send money round."""
    rng = plot.rng
    length = int(rng.integers(3, 8))
    first = int((plot.people(1, "source") if rng.random() < 0.5 else plot.shells(1, "source"))[0])
    others = plot.accomplices(first, length - 1, "layer")
    ring = np.concatenate(([first], others, [first]))
    usd, now = np.array([0.4 * plot.stake(first)]), np.array([plot.begin_ns])
    for payer, payee in pairwise(ring.tolist()):
        now = plot.move(now, payer, payee, usd, rng.uniform(4, 50))
        usd = plot.after_fee(usd)
    plot.keep(first, 0.8 * usd[0], int(now[0]))


TYPOLOGY = Typology("cycle", 0.041, play, ("group", "savings_circle", "treasury_sweep"))
