"""Merchant collusion: a dishonest merchant charges the cards of its own customers again, round sums, the same ones.

Looks like: a subscription that renews, or a shop with a promotion. It shows once reports of the first charges come in.
"""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.arrays import Ints
from streams.worlds.fraud.categories import codes
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import NONE, Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt
from streams.worlds.fraud.scene import Scene

CANDIDATES = 600
CARDS_MIN, CARDS_MAX = 9, 18
DAYS_MIN, DAYS_MAX = 20, 40
TRADES = np.array(codes("digital", "entertainment", "fashion", "home", "health", "electronics"))
PRICES_MINOR = np.array([4_900, 4_999, 7_500, 9_900, 12_000, 14_900, 19_900])


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let one storefront charge one to three times each a dozen or two of the cards that are usually used there."""
    cards, outlet = _customers(scene, rng)
    cards = rng.permutation(cards)[: int(rng.integers(CARDS_MIN, CARDS_MAX + 1))]
    cards = np.repeat(cards, rng.integers(1, 4, len(cards)))
    count = len(cards)
    prices = rng.choice(PRICES_MINOR, 3)
    amounts = prices[rng.integers(0, 3, count)]
    own = rng.random(count) < 0.2
    outlets = np.full(count, outlet)
    amounts = np.where(own, scene.amounts(cards, outlets, rng, scene.lifted(count, 0.8, 0.2, rng)), amounts)
    days = rng.uniform(0.0, rng.uniform(DAYS_MIN, DAYS_MAX), count).astype(np.int64)
    start_ns = since_ns + int(rng.integers(0, BLOCK_NS // NS_PER_DAY)) * NS_PER_DAY
    hours = np.where(rng.random(count) < 0.5, rng.uniform(6.0, 20.0, count), rng.normal(2.5, 1.0, count) % 24.0)
    time_ns = start_ns + days * NS_PER_DAY + (hours * NS_PER_HOUR).astype(np.int64)
    return attempt(scene, time_ns, cards, outlets, amounts, np.full(count, NONE), rng)


def _customers(scene: Scene, rng: np.random.Generator) -> tuple[Ints, int]:
    """Draw a storefront and cards of which it is a usual one."""
    drawn = np.unique(scene.draw_cards(CANDIDATES, rng))
    shelves = scene.places.online_of_country[scene.places.country[scene.homes(drawn)]]
    category = np.full(len(drawn), rng.choice(TRADES))
    cards = np.concatenate([drawn] * 3)
    outlets = np.concatenate([scene.usual_outlets(drawn, shelves, category, rng) for _ in range(3)])
    found, count = np.unique(outlets, return_counts=True)
    enough = found[count >= max(min(CARDS_MIN, count.max()), np.quantile(count, 0.97))]
    outlet = int(rng.choice(enough))
    return np.unique(cards[outlets == outlet]), outlet


SCENARIO = FraudScenario(
    "merchant_collusion", 0.07, launch, causes=("risk", "merchant", "network", "amount", "velocity")
)
