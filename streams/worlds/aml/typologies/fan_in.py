"""Fan-in: within days many people pay one account; most do so for the first time.

Looks like: a collection among friends, a club's fees.
"""

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Let senders pay a collector."""
    rng = plot.rng
    senders_count = int(rng.integers(4, 11))
    collector = int((plot.people(1, "sink") if rng.random() < 0.6 else plot.shells(1, "sink"))[0])
    senders = plot.accomplices(collector, senders_count, "mule")
    usd = plot.parts(plot.stake(collector), len(senders))
    ready = plot.place(senders, usd)
    paid = plot.move(ready, senders, collector, usd, rng.uniform(20, 110))
    plot.keep(collector, usd.sum() * 0.9, paid.max())


TYPOLOGY = Typology("fan_in", 0.049, play, ("fan_in", "club_treasurer"))
