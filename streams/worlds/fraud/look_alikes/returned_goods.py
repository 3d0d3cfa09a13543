"""Returned goods: a shopper who orders five sizes and keeps one; most of the orders are refunded.

Resembles: refund abuse.
"""

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.fraud.categories import codes
from streams.worlds.fraud.drafts import Drafts, draft, join
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.refunds import part_of, refunds_of, waits_ns
from streams.worlds.fraud.scene import Scene

ORDERS_MIN, ORDERS_MAX = 4, 11
RETURNED_MIN, RETURNED_MAX = 0.4, 0.95
SPAN_DAYS = 24.0
GOODS = np.array(codes("fashion", "electronics", "home"))
GOODS_SHARES = np.array([0.7, 0.14, 0.16])
EVENTS_PER_SHOPPER = (ORDERS_MIN + ORDERS_MAX) / 2 * (1.0 + (RETURNED_MIN + RETURNED_MAX) / 2)


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let shoppers order for some weeks, mostly at one or two shops, and send back what they do not want."""
    shoppers = int(rng.poisson(events / EVENTS_PER_SHOPPER))
    orders = rng.integers(ORDERS_MIN, ORDERS_MAX + 1, shoppers)
    row = np.repeat(np.arange(shoppers), orders)
    cards = scene.draw_cards(shoppers, rng)[row]
    category = rng.choice(GOODS, shoppers, p=GOODS_SHARES)[row]
    shelf = scene.shelves(cards, rng)
    outlet = np.where(
        rng.random(len(row)) < 0.7,
        scene.usual_outlets(cards, shelf, category, rng),
        scene.any_outlets(shelf, category, rng),
    )
    days = np.floor(rng.uniform(0.0, SPAN_DAYS, len(row)))
    time_ns = scene.moments(since_ns, cards, category, rng) + (days * NS_PER_DAY).astype(np.int64)
    amount = scene.amounts(cards, outlet, rng, np.exp(rng.normal(0.1, 0.3, len(row))))
    channel = scene.channels(cards, outlet, amount, rng)
    strange = scene.strange_share(np.zeros(len(row), np.bool_), amount)
    bought = draft(time_ns, cards, outlet, scene.own_devices(time_ns, cards, channel, strange, rng), channel, amount)
    back = np.flatnonzero(rng.random(len(row)) < rng.uniform(RETURNED_MIN, RETURNED_MAX, shoppers)[row])
    refunds = refunds_of(bought.take(back), part_of(len(back), rng), waits_ns(len(back), rng))
    return join([bought, refunds])


LOOK_ALIKE = LookAlike("returned_goods", 0.008, 1.0, occur)
