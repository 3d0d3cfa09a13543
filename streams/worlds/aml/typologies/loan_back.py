"""Loan-back: money goes abroad and comes back as a loan, of which a little is repaid for show.

Looks like: an owner who lends to his firm and is paid back.
"""

import numpy as np

from streams.worlds.aml.drafts import NONE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Send away, borrow it back, repay a little."""
    rng = plot.rng
    account = int((plot.people(1, "source") if rng.random() < 0.5 else plot.firms(1, "source"))[0])
    lender = int(plot.shells(1)[0]) if rng.random() < 0.6 else NONE
    country = plot.abroad(account, high_risk_share=0.3)
    total = 1.2 * plot.stake(account)
    usd = plot.parts(total, int(rng.integers(1, 4)))
    sent = plot.move(plot.begin_ns, account, lender, usd, 50.0, country=country)
    loan = plot.parts(0.93 * total, int(rng.integers(1, 3)), 0.1)
    lent = plot.move(sent.max(), lender, account, loan, rng.uniform(24, 80), country=country, round_share=0.7)
    back = np.full(int(rng.integers(1, 3)), 0.04 * total)
    plot.move(lent.max(), account, lender, back, 60.0, country=country, round_share=0.7)
    plot.keep(account, 0.7 * total, lent.max())


TYPOLOGY = Typology("loan_back", 0.027, play, ("shareholder_loan", "mutual"))
