"""Single large: one sum far above habit comes, and most of it leaves again soon.

Looks like: a house sold, an inheritance, a car.
"""

import numpy as np

from streams.worlds.aml.drafts import NONE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Let one large sum pass."""
    rng = plot.rng
    account = int((plot.people(1, "layer") if rng.random() < 0.6 else plot.shells(1))[0])
    total = np.array([2.2 * plot.stake(account)])
    if rng.random() < 0.5:
        source = int((plot.people(1, "source") if rng.random() < 0.5 else plot.shells(1, "source"))[0])
        paid = plot.move(plot.begin_ns, source, account, total, 20.0)
    else:
        paid = plot.move(plot.begin_ns, NONE, account, total, 20.0, country=plot.abroad(account))
    out = plot.parts(float(plot.after_fee(total)[0]), int(rng.integers(1, 4)))
    payee = int(plot.firms(1, "beneficiary")[0])
    got = plot.move(paid[0], account, payee, out, rng.uniform(10, 90))
    plot.keep(payee, 0.8 * out.sum(), got.max())


TYPOLOGY = Typology("single_large", 0.018, play, ("single_large",))
