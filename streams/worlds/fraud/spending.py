"""Genuine spending of one block: outings of one or more purchases, by each customer's habits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.arrays import Flags, Floats, Ints
from streams.worlds.fraud.categories import CATEGORIES, DIGITAL, TRANSFER, column
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import NONE, ONLINE, Drafts, draft
from streams.worlds.fraud.population import DEVICES_PER_CUSTOMER, PHONES
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.whereabouts import whereabouts

FOLLOW_UP_MAX = 5
FOLLOW_UP_GAP_S = 900.0
SESSION_SHARE, SESSION_MIN, SESSION_MAX, SESSION_GAP_S = 0.003, 5, 12, 200.0
"""Some digital outings are long sessions of quick payments: games, tips, bids."""
PHONE_IS_NEW_NS = 10 * NS_PER_DAY
CUSTOMER_IS_NEW_NS = 21 * NS_PER_DAY
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

    `look_alikes` are codes by name; marked are purchases on a trip (`travel`), with a new phone (`new_phone`), on
    somebody else's laptop (`family_device`) and of new customers (`new_customer`).
    """
    purchases = _follow_up(_outings(scene, since_ns, events, rng), scene, rng)
    where = whereabouts(scene, purchases.card, purchases.time_ns)
    online = purchases.online | where.in_transit
    category = np.where(where.in_transit, DIGITAL, purchases.category)
    place = np.where(online, scene.shelves(purchases.card, rng), where.place)
    at_home = scene.places.online_of_country[scene.places.country[scene.homes(purchases.card)]]
    place = np.where(category == TRANSFER, at_home, place)
    outlet, well_known = scene.chosen_outlets(purchases.card, place, category, rng)
    amount = scene.amounts(purchases.card, outlet, rng)
    channel = scene.channels(purchases.card, outlet, amount, rng)
    strange = scene.strange_share(well_known, amount)
    device = scene.own_devices(purchases.time_ns, purchases.card, channel, strange, rng)
    spent = draft(purchases.time_ns, purchases.card, outlet, device, channel, amount)
    return replace(spent, look_alike=_resembling(scene, spent, where.away, look_alikes))


def _resembling(scene: Scene, spent: Drafts, away: Flags, codes: Mapping[str, int]) -> Ints:
    """Say which purchases look like fraud by the customer's circumstances."""
    customer = scene.population.customer[spent.card]
    members = scene.members
    found = np.where(away & (spent.channel != ONLINE), codes["travel"], NONE)
    own = (spent.device != NONE) & (spent.device < scene.population.customers * DEVICES_PER_CUSTOMER)
    found = np.where(own & (spent.device // DEVICES_PER_CUSTOMER != customer), codes["family_device"], found)
    since = scene.circumstances.phone_since_ns[customer]
    still_new = (spent.time_ns >= since) & (spent.time_ns < since + PHONE_IS_NEW_NS)
    is_phone = own & (spent.device % DEVICES_PER_CUSTOMER < PHONES)
    found = np.where(is_phone & still_new, codes["new_phone"], found)
    is_new = (spent.time_ns < members.joined_ns[customer] + CUSTOMER_IS_NEW_NS) & ~members.in_bad_faith[customer]
    return np.where(is_new, codes["new_customer"], found)


def _outings(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> _Purchases:
    activity = scene.members.activity(scene.population, since_ns, since_ns + BLOCK_NS)
    count = rng.poisson(activity * (events / EVENTS_PER_OUTING))
    card = np.repeat(np.arange(scene.population.cards), count)
    category = _categories(scene, card, rng)
    time_ns = scene.moments(since_ns, card, category, rng)
    kept = scene.members.grown_into(scene.population.customer[card], time_ns, rng)
    time_ns, card, category = time_ns[kept], card[kept], category[kept]
    return _Purchases(time_ns, card, category, _goes_online(scene, card, category, rng))


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
    category = np.where((_ONLINE_SHARE[category] >= 1.0) & ~online, first.category[again], category)
    return _Purchases(
        np.concatenate((first.time_ns, time_ns)),
        np.concatenate((first.card, card)),
        np.concatenate((first.category, category)),
        np.concatenate((first.online, online)),
    )
