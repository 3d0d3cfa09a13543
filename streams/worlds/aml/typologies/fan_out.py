"""Fan-out: within days one account pays many people, most of them for the first time.

Looks like: a bonus for staff, an event's bills.
"""

import numpy as np

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Let a source pay receivers."""
    rng = plot.rng
    count = int(rng.integers(4, 11))
    source = int((plot.people(1, "source") if rng.random() < 0.5 else plot.shells(1, "source"))[0])
    receivers = plot.accomplices(source, count, "mule")
    total = plot.stake(source)
    ready = plot.place(np.array([source]), np.array([total]))
    usd = plot.parts(total, count)
    paid = plot.move(ready[0], source, receivers, usd, rng.uniform(15, 90))
    plot.keep(receivers, 0.9 * usd, paid)


TYPOLOGY = Typology("fan_out", 0.045, play, ("fan_out",))
