"""Refund abuse: a customer gets money back for goods that were kept, worn or never bought, at shops that ask little.

Looks like: a shopper who returns much. Fraud are the refunds; the purchases before them are not.
"""

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.fraud.categories import codes
from streams.worlds.fraud.drafts import Drafts, draft, groundwork, join
from streams.worlds.fraud.refunds import refunds_of, waits_ns
from streams.worlds.fraud.scenarios.scenario import FraudScenario
from streams.worlds.fraud.scene import Scene

ORDERS_MIN, ORDERS_MAX = 4, 8
SPAN_DAYS = 16.0
TWICE_SHARE = 0.45
SOONER = 0.45
"""How long refunds take by what they usually take: nothing is really sent back."""
GOODS = np.array(codes("fashion", "electronics", "home"))
GOODS_SHARES = np.array([0.45, 0.35, 0.20])


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let a customer order at two lax shops for weeks and have every order refunded, many of them twice."""
    card = int(scene.draw_cards(1, rng)[0])
    count = int(rng.integers(ORDERS_MIN, ORDERS_MAX + 1))
    cards, category = np.full(count, card), np.full(count, rng.choice(GOODS, p=GOODS_SHARES))
    shops = scene.lax_outlets(scene.shelves(cards[:2], rng, foreign_share=0.0), category[:2], rng)
    outlets = shops[rng.integers(0, 2, count)]
    days = np.floor(rng.uniform(0.0, SPAN_DAYS, count)).astype(np.int64)
    time_ns = scene.moments(since_ns, cards, category, rng) + days * NS_PER_DAY
    amount = scene.amounts(cards, outlets, rng, scene.lifted(count, 0.9, 0.3, rng))
    channel = scene.channels(cards, outlets, amount, rng)
    strange = scene.strange_share(np.zeros(count, np.bool_), amount)
    bought = draft(time_ns, cards, outlets, scene.own_devices(time_ns, cards, channel, strange, rng), channel, amount)
    row = np.repeat(np.arange(count), 1 + (rng.random(count) < TWICE_SHARE))
    part = np.where(rng.random(len(row)) < 0.8, 1.0, rng.uniform(0.5, 0.95, len(row)))
    wait_ns = (SOONER * waits_ns(len(row), rng)).astype(np.int64)
    return join([groundwork(bought), refunds_of(bought.take(row), part, wait_ns)])


SCENARIO = FraudScenario("refund_abuse", 0.05, launch, causes=("refund", "merchant", "risk", "network"))
