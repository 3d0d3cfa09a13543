"""Over-invoicing: an importer pays far too much for goods, and part of it comes back to people behind it.

Looks like: the season's orders.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import NONE, WIRE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Overpay a supplier abroad; let part of it come back."""
    rng = plot.rng
    importer = int(plot.firms(1, "source")[0])
    supplier = int(plot.shells(1)[0]) if rng.random() < 0.5 else NONE
    country = plot.abroad(importer, high_risk_share=0.25)
    count = int(rng.integers(2, 6))
    usd = plot.parts(0.6 * plot.stake(importer), count)
    begun = plot.begin_ns + np.sort(rng.random(count) * 100 * NS_PER_HOUR).astype(np.int64)
    paid = plot.move(begun, importer, supplier, usd, 24.0, channel=WIRE, country=country)
    owner = int(plot.people(1, "beneficiary")[0])
    back = plot.parts(usd.sum() * rng.uniform(0.35, 0.6), int(rng.integers(1, 4)))
    got = plot.move(paid.max(), supplier, owner, back, 60.0, country=country)
    plot.keep(owner, back.sum(), got.max())
    plot.keep(importer, 0.2 * usd.sum(), paid.max())


TYPOLOGY = Typology("over_invoicing", 0.032, play, ("import_season", "shareholder_loan"))
