"""Group: friends settle up after a journey: within a few people nearly everybody pays somebody, some get it back.

Resembles: bipartite, cycle, random walk, gather-scatter.
"""

import numpy as np

from streams.worlds.aml.drafts import Drafts
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let groups of four to six pay one another."""
    heart = occasions(scene, since_ns, events / 8.0, ANY_PERSON, rng, lift=0.8)
    size = rng.integers(4, 7, len(heart))
    seat = partners(scene, np.repeat(heart.account, 6), ANY_PERSON, rng, 0.6).reshape(-1, 6)
    seat[:, 0] = heart.account
    of, usd = split(heart, 5, 11, rng, 0.4)
    payer, payee = (rng.integers(0, size[of]) for _ in range(2))
    payee = np.where(payer == payee, (payee + 1) % size[of], payee)
    return move(scene, heart.begin_ns[of], seat[of, payer], seat[of, payee], usd, rng, span_h=100.0)


LOOK_ALIKE = LookAlike("group", 0.067, occur)
