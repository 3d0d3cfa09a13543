"""Genuine spending of one block: outings of one or more purchases, by each customer's habits."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.fraud.categories import CATEGORIES, DIGITAL, column
from streams.worlds.fraud.drafts import NONE, ONLINE, Drafts, Flags, Floats, Ints
from streams.worlds.fraud.population import DEVICES_PER_CUSTOMER, PHONES
from streams.worlds.fraud.scene import Scene

FOLLOW_UP_MAX = 5
FOLLOW_UP_GAP_S = 900.0
SESSION_SHARE, SESSION_MIN, SESSION_MAX, SESSION_GAP_S = 0.003, 5, 12, 200.0
"""Some digital outings are long sessions of quick payments: games, tips, bids."""
TRANSIT_NS = 5 * NS_PER_HOUR
PHONE_IS_NEW_NS = 10 * NS_PER_DAY
_FOLLOW_UP = column("follow_up")
_ONLINE_SHARE = column("online_share")
EVENTS_PER_OUTING = float((column("share") / (1.0 - _FOLLOW_UP)).sum())


@dataclass(frozen=True, slots=True)
class _Purchases:
    """Purchases before a place is found: instants, cards, categories, and whether they are made online."""

    time_ns: Ints
    card: Ints
    category: Ints
    online: Flags


def spend(
    scene: Scene, since_ns: int, events: float, look_alikes: Mapping[str, int], rng: np.random.Generator
) -> Drafts:
    """Draw a block's genuine purchases, about `events` of them; a last outing may run on past the block's end.

    `look_alikes` are codes by name; purchases on a trip (`travel`) and with a new phone (`new_phone`) are marked.
    """
    purchases = _follow_up(_outings(scene, since_ns, events, rng), scene, rng)
    away, in_transit = _on_trip(scene, purchases)
    online = purchases.online | in_transit
    category = np.where(in_transit, DIGITAL, purchases.category)
    place = np.where(online, scene.shelves(purchases.card, rng), _walk_to(scene, purchases.card, away, rng))
    outlet, well_known = scene.chosen_outlets(purchases.card, place, category, rng)
    amount = scene.amounts(purchases.card, outlet, rng)
    channel = scene.channels(purchases.card, outlet, amount, rng)
    strange = scene.strange_share(well_known, amount)
    device = scene.own_devices(purchases.time_ns, purchases.card, channel, strange, rng)
    look_alike = np.where(away & (channel != ONLINE), look_alikes["travel"], NONE)
    look_alike = np.where(_on_new_phone(scene, purchases, device), look_alikes["new_phone"], look_alike)
    nothing = np.full(len(outlet), NONE)
    return Drafts(purchases.time_ns, purchases.card, outlet, device, channel, amount, nothing, look_alike)


def _outings(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> _Purchases:
    people = scene.population
    count = rng.poisson(people.busyness * (events / EVENTS_PER_OUTING / people.cards))
    card = np.repeat(np.arange(people.cards), count)
    category = _categories(scene, card, rng)
    return _Purchases(
        time_ns=scene.moments(since_ns, card, category, rng),
        card=card,
        category=category,
        online=_goes_online(scene, card, category, rng),
    )


def _categories(scene: Scene, cards: Ints, rng: np.random.Generator) -> Ints:
    u = rng.random(len(cards))
    taste = scene.population.taste
    category = np.zeros(len(cards), np.int64)
    for code in range(len(CATEGORIES) - 1):
        category += u >= taste[cards, code]
    return category


def _goes_online(scene: Scene, cards: Ints, categories: Ints, rng: np.random.Generator) -> Flags:
    share = _ONLINE_SHARE[categories]
    taste = scene.population.online_taste[scene.population.customer[cards]]
    likely: Floats = np.where(share >= 1.0, 1.0, np.minimum(share * taste, 0.95))
    return rng.random(len(cards)) < likely


def _follow_up(first: _Purchases, scene: Scene, rng: np.random.Generator) -> _Purchases:
    """Let some outings go on: more purchases of the same kind (online or not), minutes apart."""
    p = _FOLLOW_UP[first.category]
    more = np.minimum(np.log(rng.random(len(p))) / np.log(p), FOLLOW_UP_MAX).astype(np.int64)
    session = (first.category == DIGITAL) & (rng.random(len(p)) < SESSION_SHARE)
    more = np.where(session, rng.integers(SESSION_MIN, SESSION_MAX + 1, len(p)), more)
    again = np.repeat(np.arange(len(p)), more)
    starts = np.cumsum(more) - more
    gaps = rng.standard_exponential(len(again)) * np.where(session[again], SESSION_GAP_S, FOLLOW_UP_GAP_S) + 20.0
    walked = np.cumsum(gaps)
    before = np.concatenate(([0.0], walked))[np.repeat(starts, more)]
    time_ns = first.time_ns[again] + ((walked - before) * 1e9).astype(np.int64)
    card, online = first.card[again], first.online[again]
    wander = (rng.random(len(again)) < 0.6) & ~online
    category = np.where(wander, _categories(scene, card, rng), first.category[again])
    category = np.where((category == DIGITAL) & ~online, first.category[again], category)
    return _Purchases(
        np.concatenate((first.time_ns, time_ns)),
        np.concatenate((first.card, card)),
        np.concatenate((first.category, category)),
        np.concatenate((first.online, online)),
    )


def _on_trip(scene: Scene, purchases: _Purchases) -> tuple[Flags, Flags]:
    """Tell which purchases fall on a trip, and which of them into the hours on the way."""
    customer = scene.population.customer[purchases.card]
    begin, end = scene.circumstances.trip_from_ns[customer], scene.circumstances.trip_until_ns[customer]
    away = (purchases.time_ns >= begin) & (purchases.time_ns < end)
    late = (purchases.time_ns >= end) & (purchases.time_ns < end + TRANSIT_NS)
    return away, late | (away & (purchases.time_ns < begin + TRANSIT_NS))


def _walk_to(scene: Scene, cards: Ints, away: Flags, rng: np.random.Generator) -> Ints:
    """Find the town: the trip's, else home, work, or now and then another town of the country or beyond."""
    customer = scene.population.customer[cards]
    u = rng.random(len(cards))
    place = np.where(u < 0.78, scene.population.home[customer], scene.population.work[customer])
    towns = scene.places.towns
    elsewhere = u > 0.975
    place[elsewhere] = towns[rng.integers(0, len(towns), int(elsewhere.sum()))] if len(towns) else place[elsewhere]
    abroad = scene.places.country[place] != scene.places.country[scene.population.home[customer]]
    place = np.where(elsewhere & abroad & (u < 0.994), scene.population.work[customer], place)
    return np.where(away, scene.circumstances.trip_place[customer], place)


def _on_new_phone(scene: Scene, purchases: _Purchases, device: Ints) -> Flags:
    customer = scene.population.customer[purchases.card]
    since = scene.circumstances.phone_since_ns[customer]
    own = (device != NONE) & (device < scene.population.customers * DEVICES_PER_CUSTOMER)
    is_phone = own & (device % DEVICES_PER_CUSTOMER < PHONES)
    still_new: Flags = (purchases.time_ns >= since) & (purchases.time_ns < since + PHONE_IS_NEW_NS)
    found: Flags = is_phone & still_new
    return found
