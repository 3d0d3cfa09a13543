"""Card not present: a stolen number is used online from a device that never paid with it.

Looks like: a new phone, a cleared browser, or a large purchase.
"""

import numpy as np

from streams.worlds.fraud.categories import codes
from streams.worlds.fraud.drafts import NONE, Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt, spaced
from streams.worlds.fraud.scene import Scene

GOODS = np.array(codes("electronics", "fashion", "travel", "home", "digital", "entertainment", "jewellery"))
GOODS_SHARES = np.array([0.26, 0.22, 0.12, 0.12, 0.14, 0.11, 0.03])


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let a fraudster buy online a few times within hours, from one device or a few."""
    card = int(scene.draw_cards(1, rng)[0])
    count = 2 + int(rng.poisson(2.0))
    cards = np.full(count, card)
    categories = rng.choice(GOODS, count, p=GOODS_SHARES)
    outlets = scene.lax_outlets(scene.shelves(cards, rng, foreign_share=0.45), categories, rng)
    amounts = scene.amounts(cards, outlets, rng, scene.lifted(count, 0.8, 0.35, rng))
    start_ns = scene.attack_start_ns(since_ns, card, int(categories[0]), rng)
    devices = scene.changing_devices(start_ns, count, 0.2, rng)
    devices[rng.random(count) < 0.08] = NONE
    return attempt(scene, spaced(start_ns, count, 5_400.0, rng), cards, outlets, amounts, devices, rng)


SCENARIO = FraudScenario("card_not_present_new_device", 0.09, launch, causes=("device", "merchant", "amount"))
