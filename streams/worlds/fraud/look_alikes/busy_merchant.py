"""Busy merchant: a promotion or a ticket sale; within a day or two many cards pay one shop, often the same price.

Resembles: merchant collusion, a shop whose stored cards leaked, a terminal that forges payments.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.arrays import Ints
from streams.worlds.fraud.categories import DIGITAL, codes
from streams.worlds.fraud.drafts import Drafts, draft, join
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.scene import Scene

CARDS_MIN, CARDS_MAX = 12, 44
POOL = 4_096
SHOPS = np.array(codes("fashion", "electronics", "entertainment", "home", "restaurant"))
STOREFRONTS = np.array([*SHOPS, DIGITAL])
ONLINE_SHARE, PRICE_SHARE = 0.65, 0.5


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let some merchants have a busy day."""
    promotions = int(rng.poisson(events / ((CARDS_MIN + CARDS_MAX) / 2)))
    shoppers = np.unique(scene.draw_cards(POOL, rng))
    return join([_promotion(scene, since_ns, shoppers, rng) for _ in range(promotions)])


def _promotion(scene: Scene, since_ns: int, shoppers: Ints, rng: np.random.Generator) -> Drafts:
    """Let some of the shoppers of one country (at a shop: of one town) buy at one outlet."""
    wanted = int(rng.integers(CARDS_MIN, CARDS_MAX + 1))
    online = rng.random() < ONLINE_SHARE
    category = int(rng.choice(STOREFRONTS if online else SHOPS))
    homes = scene.homes(shoppers)
    where = scene.places.online_of_country[scene.places.country[homes]] if online else homes
    cards = rng.permutation(shoppers[where == where[rng.integers(0, len(shoppers))]])[:wanted]
    place = where[np.searchsorted(shoppers, cards[:1])]
    count = len(cards)
    outlets = np.repeat(scene.any_outlets(place, np.array([category]), rng), count)
    categories = np.full(count, category)
    amount = scene.amounts(cards, outlets, rng)
    price = int(np.median(amount)) // 100 * 100 + 99
    amount = np.where(rng.random(count) < PRICE_SHARE, price, amount)
    span_ns = float(np.exp(rng.uniform(np.log(5.0), np.log(60.0)))) * NS_PER_HOUR
    start_ns = int(scene.moments(since_ns, cards[:1], categories[:1], rng)[0])
    time_ns = start_ns + (rng.beta(1.0, 1.8, count) * span_ns).astype(np.int64)
    channel = scene.channels(cards, outlets, amount, rng)
    device = scene.own_devices(time_ns, cards, channel, scene.strange_share(np.zeros(count, np.bool_), amount), rng)
    return draft(time_ns, cards, outlets, device, channel, amount)


LOOK_ALIKE = LookAlike("busy_merchant", 0.008, 1.0, occur)
