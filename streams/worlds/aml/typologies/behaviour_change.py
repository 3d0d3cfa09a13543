"""Change of behaviour: an account is suddenly used by somebody else: new partners, other sums, at times abroad.

Looks like: a new business, a new phase of life.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import NONE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Pay and be paid by new people for a week or so."""
    rng = plot.rng
    account = int(plot.people(1, "mule")[0])
    count = int(rng.integers(3, 7))
    others = plot.people(count, "source")
    total = 1.3 * plot.stake(account)
    usd = plot.parts(total, count, 0.5)
    begun = plot.begin_ns + np.sort(rng.random(count) * 120 * NS_PER_HOUR).astype(np.int64)
    paid = plot.move(begun, others, account, usd, 12.0)
    payees = plot.people(count - 1, "sink")
    out = plot.parts(float(plot.after_fee(usd).sum()), count, 0.4)
    got = plot.move(paid[: count - 1], account, payees, out[:-1], 60.0)
    plot.move(paid.max(), account, NONE, out[-1:], 40.0, country=plot.abroad(account))
    plot.keep(payees, 0.9 * out[:-1], got)


TYPOLOGY = Typology("behaviour_change", 0.032, play, ("new_venture", "import_season"))
