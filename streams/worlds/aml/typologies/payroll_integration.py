"""Payroll and supplier integration: a company pays wages to people who do not work there, and they pass part of it on.

Looks like: pay day.
"""

import numpy as np

from streams.worlds.aml.drafts import WIRE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Pay ghosts; let some of it come back to who is behind it."""
    rng = plot.rng
    company = int(plot.shells(1)[0])
    ghosts = plot.people(int(rng.integers(4, 9)), "mule")
    usd = plot.parts(0.45 * plot.stake(company), len(ghosts), 0.15)
    paid = plot.move(plot.begin_ns, company, ghosts, usd, 14.0, channel=WIRE)
    behind = int(plot.accomplices(company, 1, "beneficiary")[0])
    passing = np.flatnonzero(rng.random(len(ghosts)) < 0.7)
    share = usd[passing] * rng.uniform(0.5, 0.85, len(passing))
    got = plot.move(paid[passing], ghosts[passing], behind, share, rng.uniform(20, 90))
    kept = usd.copy()
    kept[passing] -= share
    plot.keep(ghosts, kept, paid)
    if len(passing):
        plot.keep(behind, 0.9 * share.sum(), got.max())


TYPOLOGY = Typology("payroll_integration", 0.027, play, ("fan_out", "periodical"))
