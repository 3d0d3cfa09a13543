"""Bust-out: a card that behaved well for weeks uses up its line within days, on goods that sell again and in cash.

Looks like: sprees of the holiday season, a removal, a large purchase; own devices, own towns, own hours.
"""

import numpy as np

from streams.worlds.arrays import Ints
from streams.worlds.fraud.categories import CASH, codes, column
from streams.worlds.fraud.drafts import Drafts, draft
from streams.worlds.fraud.scenarios.scenario import FraudScenario, spaced
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.whereabouts import whereabouts

GOODS = np.array(codes("electronics", "jewellery", "travel", "fashion", "cash", "digital", "home"))
GOODS_SHARES = np.array([0.28, 0.08, 0.10, 0.17, 0.17, 0.10, 0.10])
MEAN_GAP_S = 4.0 * 3_600.0
_ONLINE_SHARE = column("online_share")


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let a customer of long standing spend all that can be had in some days, and disappear."""
    card = int(scene.draw_cards(1, rng)[0])
    count = 9 + int(rng.poisson(4.0))
    bought = spree(scene, card, scene.attack_start_ns(since_ns, card, CASH, rng), count, rng)
    leave(scene, card, bought)
    return bought


def spree(scene: Scene, card: int, start_ns: int, count: int, rng: np.random.Generator) -> Drafts:
    """Use up a line: dearer purchases than the card's own, a few hours apart, as its holder makes them."""
    cards = np.full(count, card)
    categories = rng.choice(GOODS, count, p=GOODS_SHARES)
    time_ns = spaced(start_ns, count, MEAN_GAP_S, rng)
    where = whereabouts(scene, cards, time_ns)
    online = (rng.random(count) < _ONLINE_SHARE[categories]) | (where.in_transit & (categories != CASH))
    places = np.where(online, scene.shelves(cards, rng), where.place)
    outlets, _ = scene.chosen_outlets(cards, places, categories, rng)
    amounts = scene.amounts(cards, outlets, rng, scene.lifted(count, 0.95, 0.3, rng))
    channel = scene.channels(cards, outlets, amounts, rng)
    strange = scene.strange_share(np.zeros(count, np.bool_), amounts)
    return draft(time_ns, cards, outlets, scene.own_devices(time_ns, cards, channel, strange, rng), channel, amounts)


def leave(scene: Scene, card: int, bought: Drafts) -> None:
    """Nobody pays with the customer's cards after the last of these."""
    customer: Ints = scene.population.customer[np.array([card])]
    scene.members.left_ns[customer] = np.minimum(scene.members.left_ns[customer], int(bought.time_ns.max()) + 1)


SCENARIO = FraudScenario("bust_out", 0.06, launch, causes=("amount", "velocity"))
