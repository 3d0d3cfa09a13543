"""Random walk: money wanders from hand to hand, at times split, without coming back.

Looks like: what is forwarded in a family.
"""

import numpy as np

from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Walk on from the one who got most, split now and then."""
    rng = plot.rng
    holder = int(plot.people(1, "source")[0])
    held = plot.stake(holder)
    now = int(plot.place(np.array([holder]), np.array([held]))[0])
    plot.keep(holder, 0.3 * held, now)
    for step in range(int(rng.integers(3, 8))):
        following = plot.accomplices(holder, 2 if rng.random() < 0.35 else 1, "layer" if step else "mule")
        usd = plot.parts(float(plot.after_fee(np.array([held]))[0]), len(following), 0.5)
        paid = plot.move(now, holder, following, usd, rng.uniform(4, 48))
        best = int(np.argmax(usd))
        left = np.arange(len(usd)) != best
        plot.keep(following[left], 0.9 * usd[left], paid[left])
        holder, held, now = int(following[best]), float(usd[best]), int(paid[best])
    plot.keep(holder, held, now)


TYPOLOGY = Typology("random_walk", 0.036, play, ("forward", "group"))
