"""Gather-scatter: one account collects from several and soon pays it out to several others.

Looks like: a club's treasurer, a group's travel cash.
"""

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Gather in a hub, then scatter."""
    rng = plot.rng
    hub = int((plot.people(1, "layer") if rng.random() < 0.55 else plot.shells(1, "layer"))[0])
    senders = plot.accomplices(hub, int(rng.integers(3, 8)), "source")
    receivers = plot.accomplices(hub, int(rng.integers(3, 8)), "sink")
    usd = plot.parts(plot.stake(hub), len(senders))
    paid = plot.move(plot.begin_ns, senders, hub, usd, rng.uniform(15, 80))
    out = plot.parts(plot.after_fee(usd).sum(), len(receivers))
    got = plot.move(paid.max(), hub, receivers, out, rng.uniform(5, 60))
    plot.keep(receivers, 0.9 * out, got)


TYPOLOGY = Typology("gather_scatter", 0.045, play, ("club_treasurer", "group"))
