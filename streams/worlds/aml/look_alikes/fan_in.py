"""Fan-in: a collection: a present, a journey, a flat shared; many pay one person, often much the same sum.

Resembles: fan-in, mule networks, smurfing.
"""

import numpy as np

from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import latest, move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let many pay one within days; what comes is spent, all at once or not."""
    heart = occasions(scene, since_ns, events / 7.5, ANY_PERSON, rng)
    of, usd = split(heart, 4, 9, rng, 0.25)
    account = heart.account[of]
    paid = move(scene, heart.begin_ns[of], partners(scene, account, ANY_PERSON, rng), account, usd, rng, span_h=90.0)
    ready = latest(paid.time_ns, of, len(heart))
    spent = np.flatnonzero(rng.random(len(heart)) < 0.6)
    account = heart.account[spent]
    payee = partners(scene, account, ANY_FIRM, rng)
    usd = heart.usd[spent] * rng.uniform(0.6, 1.05, len(spent))
    return join([paid, move(scene, ready[spent], account, payee, usd, rng, span_h=60.0)])


LOOK_ALIKE = LookAlike("fan_in", 0.074, occur)
