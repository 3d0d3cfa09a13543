"""High-risk corridor: several accounts pay to, or are paid from, one high-risk country, in sums that draw no eye.

Looks like: families and traders with ties to the country.
"""

import numpy as np

from streams.worlds.aml.drafts import NONE
from streams.worlds.aml.moves import latest, sums
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Use one corridor from a few accounts, for days."""
    rng = plot.rng
    accounts = plot.people(int(rng.integers(1, 4)), "source")
    country = plot.abroad(int(accounts[0]), high_risk_share=1.0)
    inward = bool(rng.random() < 0.4)
    of = np.repeat(np.arange(len(accounts)), rng.integers(2, 5, len(accounts)))
    stakes = np.array([plot.stake(int(account)) for account in accounts])
    usd = 0.6 * stakes[of] / np.bincount(of)[of] * np.exp(0.15 * rng.standard_normal(len(of)))
    payer, payee = (NONE, accounts[of]) if inward else (accounts[of], NONE)
    paid = plot.move(plot.begin_ns, payer, payee, usd, rng.uniform(50, 160), country=country, round_share=0.5)
    if inward:
        hub = int(plot.people(1, "sink")[0])
        held = plot.after_fee(sums(usd, of, len(accounts)))
        got = plot.move(latest(paid, of, len(accounts)), accounts, hub, held, 40.0)
        plot.keep(hub, held.sum(), got.max())
    plot.keep(accounts[:1], 0.3 * stakes[:1], paid.max())


TYPOLOGY = Typology("high_risk_corridor", 0.032, play, ("remittance_home", "import_season", "periodical"))
