"""Shell-company round trip: a business's money goes through shells, often abroad, and comes back as an investment.

Looks like: cash moved within a group of companies.
"""

import numpy as np

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Send money through shells and back."""
    rng = plot.rng
    firm = int(plot.firms(1, "source")[0])
    shells = plot.shells(int(rng.integers(2, 5)))
    total = 0.5 * plot.stake(firm)
    ring = np.concatenate((shells, [firm]))
    usd = plot.parts(total, int(rng.integers(1, 3)))
    now, payer = np.full(len(usd), plot.begin_ns), firm
    for payee in ring.tolist():
        now = plot.move(now, payer, payee, usd, rng.uniform(10, 50))
        usd, payer = plot.after_fee(usd), payee
    plot.keep(firm, 0.4 * total, now.max())
    plot.keep(shells[:1], 0.05 * total, now.max())


TYPOLOGY = Typology("shell_round_trip", 0.027, play, ("treasury_sweep", "mutual"))
