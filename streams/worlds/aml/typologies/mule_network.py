"""Mule network: people who were defrauded pay mules, who pass it to a herder, and he takes it away.

Looks like: small debts paid, then a purchase together. The victims are no members.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_OUT, NONE, VIRTUAL_ASSET
from streams.worlds.aml.moves import latest, sums
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.relations import ANY_PERSON
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Let victims pay mules, mules the herder; the herder takes it out."""
    rng = plot.rng
    herder = int(plot.people(1, "sink")[0])
    mules = plot.accomplices(herder, int(rng.integers(3, 7)), "mule")
    of = np.repeat(np.arange(len(mules)), rng.integers(1, 3, len(mules)))
    victims = plot.strangers(ANY_PERSON, len(of))
    of = of[: len(victims)]
    usd = plot.parts(1.2 * plot.stake(herder), len(of), 0.5)
    paid = plot.move(plot.begin_ns, victims, mules[of], usd, rng.uniform(15, 80))
    held = plot.after_fee(sums(usd, of, len(mules)))
    there = latest(paid, of, len(mules))
    sent = held > 0
    got = plot.move(there[sent], mules[sent], herder, held[sent], rng.uniform(4, 36))
    way = rng.random()
    if way < 0.35:
        plot.move(
            got.max(),
            herder,
            NONE,
            np.array([0.85 * held.sum()]),
            30.0,
            channel=VIRTUAL_ASSET,
            country=plot.abroad(herder),
        )
    elif way < 0.7:
        plot.move(got.max(), herder, NONE, np.array([0.85 * held.sum()]), 30.0, country=plot.abroad(herder))
    else:
        out = plot.parts(0.85 * held.sum(), int(rng.integers(2, 5)))
        plot.move(got.max(), herder, NONE, out, 30.0, channel=CASH_OUT, round_share=0.9)
    plot.keep(herder, 0.3 * held.sum(), got.max())


TYPOLOGY = Typology("mule_network", 0.036, play, ("fan_in", "forward"))
