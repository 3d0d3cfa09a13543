"""Deposit and send: cash comes in and goes abroad at once, time and again.

Looks like: workers who send home what they were paid in cash.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import CASH_IN, NONE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Deposit and send a few times."""
    rng = plot.rng
    account = int(plot.people(1, "source")[0])
    country = plot.abroad(account, high_risk_share=0.3)
    rounds = int(rng.integers(2, 6))
    usd = np.minimum(plot.parts(0.7 * plot.stake(account), rounds), 0.98 * plot.threshold_usd)
    begun = plot.begin_ns + np.sort(rng.random(rounds) * 150 * NS_PER_HOUR).astype(np.int64)
    paid = plot.move(begun, NONE, account, usd, 6.0, channel=CASH_IN, round_share=0.7)
    plot.move(paid, account, NONE, plot.after_fee(usd), 26.0, country=country)
    plot.keep(account, 0.15 * usd.sum(), paid.max())


TYPOLOGY = Typology("deposit_send", 0.032, play, ("remittance_home", "forward"))
