"""Travel: a customer spends days or weeks elsewhere, often abroad: new places, new merchants, great distances.

Resembles: lost and stolen cards, cards used from afar.
"""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.arrays import Ints
from streams.worlds.fraud.categories import codes
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import NONE, Drafts, draft
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.whereabouts import travel_ns

EVENTS_PER_TRIP = 11.0
ADDED_PER_TRIP = 3
NEEDS = np.array(codes("restaurant", "cash", "transport", "travel", "fashion", "entertainment"))
NEED_SHARES = np.array([0.32, 0.2, 0.18, 0.12, 0.1, 0.08])


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Send customers on trips of 2 to 14 days; what they buy in towns until they return happens there."""
    trips = scene.circumstances
    cards = np.unique(scene.draw_cards(int(rng.poisson(events / EVENTS_PER_TRIP)), rng))
    customers, first = np.unique(scene.population.customer[cards], return_index=True)
    cards = cards[first]
    idle = trips.trip_until_ns[customers] + trips.trip_transit_ns[customers] < since_ns
    customers, cards = customers[idle], cards[idle]
    begin = since_ns + rng.integers(0, BLOCK_NS, len(customers))
    length = (rng.gamma(2.0, 2.5, len(customers)).clip(1.0, 21.0) * NS_PER_DAY).astype(np.int64)
    trips.trip_from_ns[customers] = begin
    trips.trip_until_ns[customers] = begin + length
    trips.trip_place[customers] = _destinations(scene, customers, rng)
    trips.trip_transit_ns[customers] = travel_ns(
        scene.places, scene.population.home[customers], trips.trip_place[customers]
    )
    return _on_arrival(scene, cards, begin, length, rng)


def _destinations(scene: Scene, customers: Ints, rng: np.random.Generator) -> Ints:
    """Half of the trips stay in the country."""
    home = scene.population.home[customers]
    towns = scene.places.towns
    chosen = towns[rng.integers(0, len(towns), len(customers))]
    for position in np.flatnonzero(rng.random(len(customers)) < 0.5):
        same = towns[scene.places.country[towns] == scene.places.country[home[position]]]
        chosen[position] = rng.choice(same)
    return chosen


def _on_arrival(scene: Scene, cards: Ints, begin: Ints, length: Ints, rng: np.random.Generator) -> Drafts:
    """Add what people buy on a trip over and above their habits: meals, cash, taxis."""
    count = len(cards) * ADDED_PER_TRIP
    cards, begin, length = (np.repeat(values, ADDED_PER_TRIP) for values in (cards, begin, length))
    arrival_ns = begin + scene.circumstances.trip_transit_ns[scene.population.customer[cards]]
    place = scene.circumstances.trip_place[scene.population.customer[cards]]
    category = rng.choice(NEEDS, count, p=NEED_SHARES)
    room = np.maximum(length - (arrival_ns - begin), NS_PER_HOUR)
    day = (rng.beta(1.0, 2.0, count) * (room / NS_PER_DAY)).astype(np.int64)
    hour = scene.hours_at(cards, category, rng) % 24.0
    time_ns = begin // NS_PER_DAY * NS_PER_DAY + day * NS_PER_DAY + (hour * NS_PER_HOUR).astype(np.int64)
    time_ns = np.where(time_ns < arrival_ns, time_ns + NS_PER_DAY, time_ns)
    outlet = scene.any_outlets(place, category, rng)
    amount = scene.amounts(cards, outlet, rng)
    channel = scene.channels(cards, outlet, amount, rng)
    nothing = np.full(count, NONE)
    drafts = draft(time_ns, cards, outlet, nothing, channel, amount)
    return drafts.take((time_ns >= arrival_ns) & (time_ns < begin + length))


LOOK_ALIKE = LookAlike("travel", 0.02, ADDED_PER_TRIP / EVENTS_PER_TRIP, occur)
