"""Club treasurer: fees come in from many and pay for the hall, the coach, the referees.

Resembles: gather-scatter, layered fans, fan-in.
"""

import numpy as np

from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import latest, move
from streams.worlds.aml.relations import ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let one gather from many and pay several."""
    heart = occasions(scene, since_ns, events / 10.0, ANY_PERSON, rng)
    of, usd = split(heart, 4, 8, rng, 0.15)
    account = heart.account[of]
    paid = move(scene, heart.begin_ns[of], partners(scene, account, ANY_PERSON, rng), account, usd, rng, span_h=80.0)
    ready = latest(paid.time_ns, of, len(heart))
    of, usd = split(heart, 2, 6, rng, 0.5)
    account = heart.account[of]
    usd = usd * rng.uniform(0.6, 1.0, len(of))
    return join(
        [paid, move(scene, ready[of], account, partners(scene, account, ANY_PERSON, rng), usd, rng, span_h=80.0)]
    )


LOOK_ALIKE = LookAlike("club_treasurer", 0.053, occur)
