"""Compromised terminal: for weeks, purchases are forged at one terminal on the cards of people who pass by.

Looks like: the terminal's own trade, which goes on meanwhile. It shows once reports of the first frauds come in.
"""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.arrays import Ints
from streams.worlds.fraud.categories import CASH, CATEGORIES
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import NONE, Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt
from streams.worlds.fraud.scene import Scene

CARDS_MIN, CARDS_MAX = 12, 26
DAYS_MIN, DAYS_MAX = 24, 40


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let one terminal forge a purchase or two on each of a dozen or two local cards."""
    outlet = _terminal(scene, rng)
    place, category = scene.outlets.place[outlet], scene.outlets.category[outlet]
    victims = _passers_by(scene, int(place), int(rng.integers(CARDS_MIN, CARDS_MAX + 1)), rng)
    cards = np.repeat(victims, rng.integers(1, 3, len(victims)))
    count = len(cards)
    outlets = np.full(count, outlet)
    amounts = scene.amounts(cards, outlets, rng, scene.lifted(count, 0.75, 0.3, rng))
    days = rng.uniform(0.0, rng.uniform(DAYS_MIN, DAYS_MAX), count).astype(np.int64)
    hours = scene.hours_at(cards, np.full(count, category), rng) % 24.0
    start_ns = since_ns + int(rng.integers(0, BLOCK_NS // NS_PER_DAY)) * NS_PER_DAY
    time_ns = start_ns + days * NS_PER_DAY + (hours * NS_PER_HOUR).astype(np.int64)
    return attempt(scene, time_ns, cards, outlets, amounts, np.full(count, NONE), rng)


def _terminal(scene: Scene, rng: np.random.Generator) -> int:
    """Pick any terminal in a town where cards are at home, with more of them in larger towns."""
    card = scene.draw_cards(1, rng)
    place = int(scene.homes(card)[0])
    here = np.flatnonzero((scene.outlets.place == place) & (scene.outlets.category != CASH))
    group = place * len(CATEGORIES) + scene.outlets.category[here]
    rank = here - scene.outlets.group_start[group]
    return int(rng.choice(here[rank >= scene.outlets.group_size[group] // 4]))


def _passers_by(scene: Scene, place: int, count: int, rng: np.random.Generator) -> Ints:
    people = scene.population
    near = (people.home[people.customer] == place) | (people.work[people.customer] == place)
    local = np.flatnonzero(near)
    residents = rng.choice(local, min(count - count // 2, len(local)), replace=False)
    country = scene.places.country
    far = np.unique(scene.draw_cards(20 * count, rng))
    strangers = rng.permutation(far[country[scene.homes(far)] == country[place]])[: count // 2]
    return np.unique(np.concatenate((residents, strangers)))


SCENARIO = FraudScenario("terminal_compromise", 0.06, launch, causes=("risk", "location"))
