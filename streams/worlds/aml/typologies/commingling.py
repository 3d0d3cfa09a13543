"""Commingling: a business that takes cash deposits far more than it takes, and pays it on as if for goods.

Looks like: a good season.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_IN, NONE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Deposit more than the till held; pay suppliers and people behind it."""
    rng = plot.rng
    shop = int(plot.firms(1, "source", shops=True)[0])
    count = int(rng.integers(4, 9))
    usd = np.minimum(plot.parts(0.5 * plot.stake(shop), count, 0.25), 1.3 * plot.threshold_usd)
    paid = plot.move(plot.begin_ns, NONE, shop, usd, rng.uniform(80, 170), channel=CASH_IN, round_share=0.4)
    supplier = int(plot.shells(1)[0])
    out = plot.parts(0.7 * usd.sum(), int(rng.integers(1, 4)))
    got = plot.move(int(np.median(paid)), shop, supplier, out, 90.0)
    behind = int(plot.accomplices(shop, 1, "beneficiary")[0])
    there = plot.move(got.max(), supplier, behind, plot.after_fee(out), 40.0)
    plot.keep(behind, 0.8 * out.sum(), there.max())
    plot.keep(shop, 0.2 * usd.sum(), got.max())


TYPOLOGY = Typology("commingling", 0.032, play, ("event_cash", "cash_deposits"))
