"""Smurfing: several people deposit a principal's cash, small sums each, and send it to one account.

Looks like: a collection for which people bring cash to the bank first.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_IN, NONE
from streams.worlds.aml.moves import latest, sums
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Let smurfs deposit cash and pass it on."""
    rng = plot.rng
    principal = int((plot.people(1, "sink") if rng.random() < 0.6 else plot.shells(1, "sink"))[0])
    smurfs = plot.accomplices(principal, int(rng.integers(3, 8)), "mule")
    times = rng.integers(1, 3, len(smurfs))
    of = np.repeat(np.arange(len(smurfs)), times)
    total = plot.stake(principal)
    usd = np.minimum(total / len(of) * np.exp(0.3 * rng.standard_normal(len(of))), 0.95 * plot.threshold_usd)
    paid = plot.move(plot.begin_ns, NONE, smurfs[of], usd, rng.uniform(24, 90), channel=CASH_IN, round_share=0.8)
    held = plot.after_fee(sums(usd, of, len(smurfs)))
    got = plot.move(latest(paid, of, len(smurfs)), smurfs, principal, held, rng.uniform(6, 50))
    plot.keep(principal, 0.9 * held.sum(), got.max())


TYPOLOGY = Typology("smurfing", 0.041, play, ("cash_deposits", "savings_circle", "fan_in"))
