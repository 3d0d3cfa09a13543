"""Hawala offset: two brokers collect and pay out in two places, and settle only what is left over.

Looks like: small shops and people who are paid and pay often. Their clients are no members.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.relations import ANY_PERSON
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Collect here, pay out there, settle the rest."""
    rng = plot.rng
    here = int((plot.people(1, "layer") if rng.random() < 0.5 else plot.firms(1, "layer", shops=True))[0])
    there = int(plot.people(1, "layer")[0])
    total = plot.stake(here)
    clients = plot.strangers(ANY_PERSON, int(rng.integers(4, 9)))
    usd = plot.parts(total, len(clients), 0.5)
    paid = plot.move(plot.begin_ns, clients, here, usd, rng.uniform(50, 140))
    receivers = plot.strangers(ANY_PERSON, int(rng.integers(4, 9)))
    out = plot.parts(0.96 * total, len(receivers), 0.5)
    plot.move(plot.begin_ns + 12 * NS_PER_HOUR, there, receivers, out, rng.uniform(50, 140))
    plot.move(paid.max(), here, there, np.array([total * rng.uniform(0.2, 0.6)]), 40.0)
    plot.keep(here, 0.4 * total, paid.max())
    plot.keep(there, 0.1 * total, paid.max())


TYPOLOGY = Typology("hawala_offset", 0.027, play, ("fan_in", "mutual"))
