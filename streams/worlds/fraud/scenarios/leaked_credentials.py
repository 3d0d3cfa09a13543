"""Leaked credentials: a shop's stored cards are stolen and used over weeks, mostly at a few shops that ask little.

Looks like: ordinary online shopping, some of it from devices that were never seen.
"""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.arrays import Ints
from streams.worlds.fraud.categories import CATEGORIES, codes
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import NONE, ONLINE, Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt
from streams.worlds.fraud.scene import Scene

CARDS_MIN, CARDS_MAX = 14, 26
DAYS_MIN, DAYS_MAX = 16, 32
LAX_SHOPS = 2
GOODS = np.array(codes("electronics", "fashion", "digital", "home", "entertainment", "health"))


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Use a dozen or two leaked cards of one country, once or twice each."""
    victims = _leaked(scene, int(rng.integers(CARDS_MIN, CARDS_MAX + 1)), rng)
    cards = np.repeat(victims, rng.integers(1, 3, len(victims)))
    count = len(cards)
    categories = rng.choice(GOODS, count)
    shelves = scene.shelves(cards, rng)
    outlets = scene.any_outlets(shelves, categories, rng)
    lax = rng.random(count) < 0.85
    outlets[lax] = rng.choice(_lax_shops(scene, int(shelves[0]), rng), int(lax.sum()))
    amounts = scene.amounts(cards, outlets, rng, scene.lifted(count, 0.75, 0.35, rng))
    days = rng.uniform(0.0, rng.uniform(DAYS_MIN, DAYS_MAX), count).astype(np.int64)
    usual = scene.hours_at(cards, categories, rng) % 24.0
    hours = np.where(rng.random(count) < 0.4, usual, rng.random(count) * 24.0)
    start_ns = since_ns + int(rng.integers(0, BLOCK_NS // NS_PER_DAY)) * NS_PER_DAY
    time_ns = start_ns + days * NS_PER_DAY + (hours * NS_PER_HOUR).astype(np.int64)
    return attempt(scene, time_ns, cards, outlets, amounts, _devices(scene, time_ns, cards, rng), rng)


def _leaked(scene: Scene, count: int, rng: np.random.Generator) -> Ints:
    """Cards of one shop's customers: drawn from one country."""
    drawn = np.unique(scene.draw_cards(12 * count, rng))
    country = scene.places.country[scene.homes(drawn)]
    same = drawn[country == country[rng.integers(0, len(drawn))]]
    return rng.permutation(same)[:count]


def _lax_shops(scene: Scene, shelf: int, rng: np.random.Generator) -> Ints:
    """Pick storefronts of the less busy half."""
    found = np.flatnonzero((scene.outlets.place == shelf) & np.isin(scene.outlets.category, GOODS))
    group = shelf * len(CATEGORIES) + scene.outlets.category[found]
    found = found[found - scene.outlets.group_start[group] >= scene.outlets.group_size[group] // 2]
    return rng.choice(found, LAX_SHOPS, replace=False)


def _devices(scene: Scene, time_ns: Ints, cards: Ints, rng: np.random.Generator) -> Ints:
    """Many from unseen devices, some by malware on the customer's own, some where the shop sees none."""
    count = len(cards)
    u = rng.random(count)
    own = scene.own_devices(time_ns, cards, np.full(count, ONLINE), np.zeros(count), rng)
    return np.where(u < 0.55, scene.fresh_devices(count, rng), np.where(u < 0.8, own, NONE))


SCENARIO = FraudScenario("leaked_credentials", 0.07, launch, causes=("merchant", "device", "risk"))
