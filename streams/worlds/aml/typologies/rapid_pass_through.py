"""Rapid pass-through: whatever comes in goes out within hours, several times.

Looks like: what is forwarded for others, a sweep between companies.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Receive and forward within hours, a few times."""
    rng = plot.rng
    account = int((plot.people(1, "layer") if rng.random() < 0.5 else plot.shells(1))[0])
    rounds = int(rng.integers(2, 6))
    usd = plot.parts(0.6 * plot.stake(account), rounds)
    payers = plot.accomplices(account, max(1, rounds // 2), "source")
    payee = int((plot.people(1, "sink") if rng.random() < 0.6 else plot.shells(1, "sink"))[0])
    begun = plot.begin_ns + np.sort(rng.random(rounds) * 140 * NS_PER_HOUR).astype(np.int64)
    paid = plot.move(begun, payers[np.arange(rounds) % len(payers)], account, usd, 10.0)
    got = plot.move(paid, account, payee, plot.after_fee(usd), rng.uniform(1, 8))
    plot.keep(payee, 0.9 * usd.sum(), got.max())
    plot.keep(account, 0.07 * usd.sum(), got.max())


TYPOLOGY = Typology("rapid_pass_through", 0.041, play, ("forward", "treasury_sweep"))
