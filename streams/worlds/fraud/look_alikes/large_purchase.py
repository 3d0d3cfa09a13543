"""Large purchase: once in a while a customer buys a sofa, a laptop or a ring, at many times the usual amount.

Resembles: the purchases for which a stolen number is used.
"""

import numpy as np

from streams.worlds.fraud.categories import codes, column
from streams.worlds.fraud.drafts import Drafts, draft
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.whereabouts import whereabouts

GOODS = np.array(codes("electronics", "home", "travel", "jewellery", "fashion"))
GOODS_SHARES = np.array([0.34, 0.28, 0.22, 0.06, 0.10])
STRANGE_SHARE = 0.30
"""How often something dear is bought on a device of somebody else, with a larger screen or a better connection."""
_ONLINE_SHARE = column("online_share")


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let customers buy something dear, at home or online, often with somebody else's device."""
    count = int(rng.poisson(events))
    cards = scene.draw_cards(count, rng)
    category = rng.choice(GOODS, count, p=GOODS_SHARES)
    time_ns = scene.moments(since_ns, cards, category, rng)
    where = whereabouts(scene, cards, time_ns)
    online = (rng.random(count) < _ONLINE_SHARE[category]) | where.in_transit
    place = np.where(online, scene.shelves(cards, rng), where.place)
    outlet, _ = scene.chosen_outlets(cards, place, category, rng)
    amount = scene.amounts(cards, outlet, rng, np.exp(rng.normal(1.5, 0.4, count)))
    channel = scene.channels(cards, outlet, amount, rng)
    device = scene.own_devices(time_ns, cards, channel, np.full(count, STRANGE_SHARE), rng)
    return draft(time_ns, cards, outlet, device, channel, amount)


LOOK_ALIKE = LookAlike("large_purchase", 0.008, 1.0, occur)
