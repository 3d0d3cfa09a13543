"""Cuckoo smurfing: who awaits money from abroad gets somebody's cash instead, in parts below the threshold.

Looks like: cash brought to the bank. The transfer that should have come from abroad never crosses the border.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import CASH_IN, NONE
from streams.worlds.aml.moves import latest, sums
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Deposit cash into the accounts of people who await money, and move what was sent abroad instead."""
    rng = plot.rng
    owners = plot.people(int(rng.integers(1, 4)), "beneficiary")
    of = np.repeat(np.arange(len(owners)), rng.integers(2, 5, len(owners)))
    stakes = np.array([plot.stake(int(owner)) for owner in owners])
    usd = stakes[of] / np.bincount(of)[of] * np.exp(0.2 * rng.standard_normal(len(of)))
    usd = np.minimum(usd, plot.threshold_usd * rng.uniform(0.6, 0.99, len(of)))
    paid = plot.move(plot.begin_ns, NONE, owners[of], usd, rng.uniform(20, 80), channel=CASH_IN, round_share=0.6)
    agent = int(plot.people(1, "layer")[0])
    plot.move(plot.begin_ns, NONE, agent, np.array([0.5 * usd.sum()]), 40.0, country=plot.abroad(agent))
    payee = int(plot.shells(1, "sink")[0])
    got = plot.move(plot.begin_ns + 40 * NS_PER_HOUR, agent, payee, np.array([0.47 * usd.sum()]), 40.0)
    plot.keep(owners, 0.7 * sums(usd, of, len(owners)), latest(paid, of, len(owners)))
    plot.keep(payee, 0.4 * usd.sum(), got.max())


TYPOLOGY = Typology("cuckoo_smurfing", 0.027, play, ("remittance_home", "cash_deposits"))
