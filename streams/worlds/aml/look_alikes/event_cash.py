"""Event cash: a fair, a festival, a good weekend: far more cash than usual is brought in, and suppliers are paid.

Resembles: commingling, funnel accounts, structuring.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import CASH_IN, NONE, Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import latest, move
from streams.worlds.aml.nations import THRESHOLD_USD
from streams.worlds.aml.relations import ANY_FIRM, ANY_SHOP
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let shops deposit much cash for days and pay for what was sold."""
    heart = occasions(scene, since_ns, events / 8.0, ANY_SHOP, rng, lift=1.1)
    of, usd = split(heart, 4, 9, rng, 0.3)
    account, nobody = heart.account[of], np.full(len(of), NONE)
    usd = np.minimum(usd, 1.4 * THRESHOLD_USD[scene.population.country(account)])
    paid = move(scene, heart.begin_ns[of], nobody, account, usd, rng, span_h=120.0, channel=CASH_IN, round_share=0.4)
    ready = np.maximum(latest(paid.time_ns, of, len(heart)) - 30 * NS_PER_HOUR, heart.begin_ns)
    of, usd = split(heart, 1, 4, rng, 0.4)
    account = heart.account[of]
    payee = partners(scene, account, ANY_FIRM, rng)
    return join([paid, move(scene, ready[of], account, payee, 0.7 * usd, rng, span_h=80.0)])


LOOK_ALIKE = LookAlike("event_cash", 0.035, occur)
