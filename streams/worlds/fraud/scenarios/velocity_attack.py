"""Velocity attack: a card is charged again and again within minutes, before anybody notices.

Looks like: a gaming session, or a spree of purchases in the holiday season.
"""

import numpy as np

from streams.worlds.fraud.categories import CASH, codes
from streams.worlds.fraud.drafts import NONE, Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt, spaced
from streams.worlds.fraud.scene import Scene

ONLINE_GOODS = np.array(codes("digital", "entertainment", "fashion", "transport"))
SHOP_GOODS = np.array(codes("fuel", "electronics", "cash", "grocery"))


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Charge one card a dozen times at one or two outlets, minutes apart."""
    card = int(scene.draw_cards(1, rng)[0])
    count = 9 + int(rng.poisson(3.0))
    cards = np.full(count, card)
    online = rng.random() < 0.7
    categories = np.full(count, rng.choice(ONLINE_GOODS if online else SHOP_GOODS))
    places = np.repeat(scene.shelves(cards[:1], rng, foreign_share=0.2) if online else scene.homes(cards[:1]), count)
    pair = scene.lax_outlets(places, categories, rng)[:2]
    outlets = pair[(rng.random(count) < 0.25).astype(np.int64)]
    level = scene.amounts(cards, outlets, rng)[0] * scene.lifted(count, 0.1, 0.35, rng)
    amounts = scene.priced(level, categories == CASH, rng)
    start_ns = scene.attack_start_ns(since_ns, card, int(categories[0]), rng)
    devices = scene.changing_devices(start_ns, count, 0.6, rng)
    devices[rng.random(count) < 0.1] = NONE
    return attempt(scene, spaced(start_ns, count, 110.0, rng), cards, outlets, amounts, devices, rng)


SCENARIO = FraudScenario("velocity_attack", 0.05, launch, causes=("velocity",))
