"""Structuring: cash is deposited in parts, each below what banks report, and then moved on.

Looks like: a shop that brings its takings, somebody who puts savings into the bank.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_IN, NONE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Deposit below the threshold for days, then pay some of it away."""
    rng = plot.rng
    person = bool(rng.random() < 0.65)
    account = int((plot.people(1, "source") if person else plot.firms(1, "source", shops=True))[0])
    count = int(rng.integers(4, 10))
    limit = plot.threshold_usd * np.where(
        rng.random(count) < 0.6, rng.uniform(0.82, 0.99, count), rng.uniform(0.3, 0.8, count)
    )
    usd = np.minimum(limit, 1.6 * plot.stake(account) / count * np.exp(0.2 * rng.standard_normal(count)))
    paid = plot.move(plot.begin_ns, NONE, account, usd, rng.uniform(50, 170), channel=CASH_IN, round_share=0.7)
    payee = int(plot.accomplices(account, 1, "beneficiary")[0])
    out = plot.parts(usd.sum() * rng.uniform(0.5, 0.9), int(rng.integers(1, 3)))
    got = plot.move(paid.max(), account, payee, out, 40.0)
    plot.keep(payee, 0.8 * out.sum(), got.max())
    plot.keep(account, usd.sum() - out.sum(), paid.max())


TYPOLOGY = Typology("structuring", 0.045, play, ("cash_deposits", "event_cash", "periodical"))
