"""Funnel account: cash is deposited for one account all over the country and drawn or sent elsewhere.

Looks like: a fair's stalls, a caterer with many tills.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_IN, NONE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Deposit often, send away in few parts."""
    rng = plot.rng
    account = int((plot.people(1, "layer") if rng.random() < 0.5 else plot.firms(1, "layer", shops=True))[0])
    count = int(rng.integers(5, 13))
    usd = np.minimum(plot.parts(1.3 * plot.stake(account), count, 0.5), 0.97 * plot.threshold_usd)
    paid = plot.move(plot.begin_ns, NONE, account, usd, rng.uniform(60, 160), channel=CASH_IN, round_share=0.7)
    half = int(np.median(paid))
    payee = int(plot.accomplices(account, 1, "sink")[0])
    out = plot.parts(0.9 * usd.sum(), int(rng.integers(2, 5)))
    got = plot.move(np.where(np.arange(len(out)) < 1, half, paid.max()), account, payee, out, 40.0)
    plot.keep(payee, 0.8 * out.sum(), got.max())


TYPOLOGY = Typology("funnel_account", 0.027, play, ("event_cash", "cash_deposits"))
