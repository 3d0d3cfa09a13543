"""Dormant reactivation: an account silent for long receives money and passes it on.

Looks like: somebody who comes back from abroad.
"""

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Wake an account, fill it, empty it."""
    rng = plot.rng
    account = plot.dormant("layer")
    count = int(rng.integers(2, 5))
    payers = plot.accomplices(account, count, "source")
    usd = plot.parts(1.2 * plot.stake(account), len(payers))
    paid = plot.move(plot.begin_ns, payers, account, usd, rng.uniform(10, 70))
    payees = plot.people(int(rng.integers(1, 4)), "sink")
    out = plot.parts(float(plot.after_fee(usd).sum()), len(payees))
    got = plot.move(paid.max(), account, payees, out, rng.uniform(8, 60))
    plot.keep(payees, 0.9 * out, got)


TYPOLOGY = Typology("dormant_reactivation", 0.027, play, ("homecoming",))
