"""Card testing: a stolen number is tried with small online payments, then used for larger ones.

Looks like: a new subscription (a small verification, then the charge), or a gaming session of small payments.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.fraud.categories import DIGITAL, codes
from streams.worlds.fraud.drafts import NONE, Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt, spaced
from streams.worlds.fraud.scene import Scene

TEST_MIN_MINOR, TEST_MAX_MINOR = 50, 600
GOODS = np.array(codes("electronics", "fashion", "travel", "home", "digital", "entertainment"))


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let a fraudster test a card two to five times within an hour or so, and cash in up to a day and a half later."""
    card = int(scene.draw_cards(1, rng)[0])
    tests, uses = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    count = tests + uses
    cards = np.full(count, card)
    categories = np.concatenate((np.full(tests, DIGITAL), rng.choice(GOODS, uses)))
    shelves = scene.shelves(cards, rng, foreign_share=0.3)
    outlets = scene.lax_outlets(shelves, categories, rng)
    outlets[1:tests] = np.where(rng.random(tests - 1) < 0.5, outlets[0], outlets[1:tests])
    small = np.exp(rng.uniform(np.log(TEST_MIN_MINOR), np.log(TEST_MAX_MINOR), tests)).astype(np.int64)
    large = scene.amounts(cards[tests:], outlets[tests:], rng, scene.lifted(uses, 1.2, 0.35, rng))
    amounts = np.concatenate((small, np.maximum(large, 2 * TEST_MAX_MINOR)))
    start_ns = scene.attack_start_ns(since_ns, card, DIGITAL, rng)
    probes = spaced(start_ns, tests, 900.0, rng)
    pause_ns = int(np.exp(rng.uniform(np.log(0.4), np.log(36.0))) * NS_PER_HOUR)
    time_ns = np.concatenate((probes, spaced(int(probes[-1]) + pause_ns, uses, 3_600.0, rng)))
    devices = scene.changing_devices(start_ns, count, 0.35, rng)
    devices[rng.random(count) < 0.12] = NONE
    return attempt(scene, time_ns, cards, outlets, amounts, devices, rng)


SCENARIO = FraudScenario("card_testing", 0.08, launch, causes=("velocity", "amount", "device"))
