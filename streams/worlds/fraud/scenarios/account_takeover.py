"""Account takeover: a fraudster logs in as the customer and buys, often at shops where the card is stored.

Looks like: a new phone, with which the customer buys at the usual shops.
"""

import numpy as np

from streams.worlds.fraud.categories import codes
from streams.worlds.fraud.drafts import Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt, spaced
from streams.worlds.fraud.scene import Scene

GOODS = np.array(codes("fashion", "electronics", "digital", "home", "entertainment", "grocery", "travel"))
GOODS_SHARES = np.array([0.2, 0.22, 0.18, 0.12, 0.1, 0.08, 0.1])


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let a fraudster buy about eight times in a day or two, ever more boldly, from devices that become familiar."""
    card = int(scene.draw_cards(1, rng)[0])
    count = 5 + int(rng.poisson(3.0))
    cards = np.full(count, card)
    categories = rng.choice(GOODS, count, p=GOODS_SHARES)
    shelves = scene.shelves(cards, rng)
    outlets = np.where(
        rng.random(count) < 0.55,
        scene.usual_outlets(cards, shelves, categories, rng),
        scene.lax_outlets(shelves, categories, rng),
    )
    bolder = np.linspace(0.9, 1.7, count)
    amounts = scene.amounts(cards, outlets, rng, bolder * scene.lifted(count, 0.55, 0.25, rng))
    start_ns = scene.attack_start_ns(since_ns, card, int(categories[0]), rng)
    time_ns = spaced(start_ns, count, 3.5 * 3_600.0, rng)
    devices = scene.changing_devices(start_ns, count, 0.5, rng)
    return attempt(scene, time_ns, cards, outlets, amounts, devices, rng)


SCENARIO = FraudScenario("account_takeover", 0.08, launch, causes=("device", "amount", "velocity"))
