"""Lost or stolen card: a thief shops with the card itself, near where it was taken, until it is blocked.

Looks like: a shopping spree in the holiday season, or a trip.
"""

import numpy as np

from streams.worlds.arrays import Ints
from streams.worlds.fraud.categories import codes
from streams.worlds.fraud.drafts import NONE, Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt, spaced
from streams.worlds.fraud.scene import Scene

SHOPS = np.array(codes("grocery", "fuel", "fashion", "electronics", "restaurant", "transport", "health", "cash"))
SHOP_SHARES = np.array([0.24, 0.14, 0.16, 0.12, 0.10, 0.09, 0.07, 0.08])


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let a thief make about eight purchases within hours: in the victim's town, on the victim's trip, or far off."""
    card = int(scene.draw_cards(1, rng)[0])
    count = 5 + int(rng.poisson(3.0))
    cards = np.full(count, card)
    categories = rng.choice(SHOPS, count, p=SHOP_SHARES)
    start_ns = scene.attack_start_ns(since_ns, card, int(categories[0]), rng)
    places = np.full(count, _place(scene, card, start_ns, rng))
    outlets = np.where(
        rng.random(count) < 0.2,
        scene.usual_outlets(cards, places, categories, rng),
        scene.lax_outlets(places, categories, rng),
    )
    amounts = scene.amounts(cards, outlets, rng, scene.lifted(count, 0.65, 0.35, rng))
    time_ns = spaced(start_ns, count, 1_500.0, rng)
    return attempt(scene, time_ns, cards, outlets, amounts, _no_devices(count), rng)


def _place(scene: Scene, card: int, time_ns: int, rng: np.random.Generator) -> int:
    customer = scene.population.customer[card]
    trip = scene.circumstances
    if trip.trip_from_ns[customer] <= time_ns < trip.trip_until_ns[customer]:
        return int(trip.trip_place[customer])
    home = int(scene.population.home[customer])
    if rng.random() < 0.25:
        return home
    towns = scene.places.towns
    return int(rng.choice(towns[scene.places.country[towns] == scene.places.country[home]]))


def _no_devices(count: int) -> Ints:
    return np.full(count, NONE)


SCENARIO = FraudScenario("lost_stolen_card", 0.11, launch, causes=("velocity", "location", "amount"))
