"""Cash deposits: savings, a car sold, a shop's takings of a fortnight; in parts, because machines take no more.

Resembles: structuring, smurfing, cuckoo smurfing, commingling.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_IN, NONE, Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.nations import THRESHOLD_USD
from streams.worlds.aml.relations import ANY_PERSON, ANY_SHOP
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let people and shops bring cash, over some days."""
    drafts = []
    for kind, part in ((ANY_PERSON, 0.6), (ANY_SHOP, 0.4)):
        heart = occasions(scene, since_ns, part * events / 4.5, kind, rng, lift=1.1)
        of, usd = split(heart, 2, 7, rng)
        country = scene.population.country(heart.account[of])
        usd = np.minimum(usd, THRESHOLD_USD[country] * rng.uniform(0.4, 1.2, len(usd)))
        nobody = np.full(len(of), NONE)
        drafts.append(
            move(
                scene,
                heart.begin_ns[of],
                nobody,
                heart.account[of],
                usd,
                rng,
                span_h=110.0,
                channel=CASH_IN,
                round_share=0.7,
            )
        )
    return join(drafts)


LOOK_ALIKE = LookAlike("cash_deposits", 0.069, occur)
