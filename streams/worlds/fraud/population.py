"""Who spends: customers with homes and habits, their cards and devices, and customers who are yet to come."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.arrays import Flags, Floats, Ints
from streams.worlds.fraud.categories import CASH, CATEGORIES, column
from streams.worlds.fraud.config import FraudWorldConfig
from streams.worlds.fraud.geography import COUNTRY_CODES, Places
from streams.worlds.fraud.segments import SEGMENTS, taste_factors, trait

CARDS_PER_CUSTOMER = 1.2
DEVICES_PER_CUSTOMER = 5
PHONES, LAPTOP = 4, 4
"""A customer's device slots: four phones one after the other, and a laptop."""
HABIT_CONCENTRATION = 12.0
RESERVE = 0.6
"""Customers who are yet to come, by customers who are there. When all have come, those who left first come back: at
the usual pace after more than a year."""


@dataclass(frozen=True, slots=True)
class Population:
    """Columns over customers and over cards.

    Customers: `home` and `work` (places), `segment`, `hour_shift` (early or late risers), `online_taste` (factor on a
    category's online share), `has_wallet` (pays contactless by phone), `relative` (a customer of the same household, or
    the customer). Cards: `customer`, `busyness` (factor on the mean rate), `log_wealth` (on amounts), `loyalty` (share
    of purchases at usual outlets), `taste` (cumulated category shares, float64 [cards, categories]).
    The first `active_customers` are there at first. Devices: slots of customers, then `fresh_devices` that nobody has
    used yet.
    """

    home: Ints
    work: Ints
    segment: Ints
    hour_shift: Floats
    online_taste: Floats
    has_wallet: Flags
    relative: Ints
    customer: Ints
    busyness: Floats
    log_wealth: Floats
    loyalty: Floats
    taste: Floats
    active_customers: int
    fresh_devices: int

    @property
    def cards(self) -> int:
        """How many cards there are, those of customers yet to come included."""
        return len(self.customer)

    @property
    def customers(self) -> int:
        """How many customers there are, those yet to come included."""
        return len(self.home)

    @property
    def devices(self) -> int:
        """How many devices can ever appear."""
        return self.customers * DEVICES_PER_CUSTOMER + self.fresh_devices


def settle(config: FraudWorldConfig, places: Places, rng: np.random.Generator) -> Population:
    """Settle customers in the towns of their home countries and give them cards and habits."""
    active = max(1, round(config.cards / CARDS_PER_CUSTOMER))
    customers, cards = active + round(RESERVE * active), round((1.0 + RESERVE) * config.cards)
    home = _homes(config, places, customers, rng)
    customer = np.concatenate((np.arange(customers), rng.integers(0, customers, max(cards - customers, 0))))
    cards = len(customer)
    segment = rng.choice(len(SEGMENTS), customers, p=trait("share"))
    kind = segment[customer]
    busyness = (rng.gamma(2.5, 1 / 2.5, cards) + 0.05) * trait("busyness")[kind]
    return Population(
        home=home,
        work=_work_places(places, home, rng),
        segment=segment,
        hour_shift=rng.normal(0.0, 1.0, customers) + trait("hour_shift")[segment],
        online_taste=np.exp(rng.normal(0.0, 0.4, customers)) * trait("online")[segment],
        has_wallet=rng.random(customers) < trait("wallet")[segment],
        relative=_relatives(home, rng.random(customers) < trait("household")[segment]),
        customer=customer,
        busyness=busyness / busyness.mean(),
        log_wealth=rng.normal(0.0, 0.30, customers)[customer]
        + rng.normal(0.0, 0.15, cards)
        + trait("log_wealth")[kind],
        loyalty=rng.beta(7.0, 2.5, cards),
        taste=_tastes(kind, rng),
        active_customers=active,
        fresh_devices=max(500, 2 * config.cards),
    )


def _homes(config: FraudWorldConfig, places: Places, customers: int, rng: np.random.Generator) -> Ints:
    towns = places.towns
    share = np.array([config.home_shares.get(code, 0.0) for code in COUNTRY_CODES])
    weight = share[places.country[towns]] * places.weight[towns]
    return np.asarray(rng.choice(towns, customers, p=weight / weight.sum()), np.int64)


def _work_places(places: Places, home: Ints, rng: np.random.Generator) -> Ints:
    """Most work where they live; the rest in the nearest other town of the country."""
    towns = places.towns
    latitude, longitude, country = places.latitude[towns], places.longitude[towns], places.country[towns]
    away = (latitude[:, None] - latitude) ** 2 + ((longitude[:, None] - longitude) * 0.65) ** 2
    away[country[:, None] != country] = np.inf
    np.fill_diagonal(away, np.inf)
    nearest = towns[np.argmin(away, axis=1)]
    return np.where(rng.random(len(home)) < 0.65, home, nearest[home])


def _relatives(home: Ints, shares: Flags) -> Ints:
    """Let customers who live with somebody live with the one before them in the same town: int64 [customers]."""
    order = np.argsort(home, kind="stable")
    before = np.roll(order, 1)
    neighbour = np.empty(len(home), np.int64)
    neighbour[order] = before
    return np.where(shares & (home[neighbour] == home), neighbour, np.arange(len(home)))


def _tastes(segment: Ints, rng: np.random.Generator) -> Floats:
    """Each card's own category shares around its segment's (Dirichlet), cumulated over categories."""
    mean = column("share") * taste_factors()
    mean /= mean.sum(axis=1, keepdims=True)
    weights = rng.standard_gamma(mean[segment] * HABIT_CONCENTRATION, (len(segment), len(CATEGORIES))) + 1e-6
    weights[:, CASH] = np.minimum(weights[:, CASH], 0.3 * weights.sum(axis=1))
    cumulated = np.cumsum(weights, axis=1)
    result: Floats = cumulated / cumulated[:, -1:]
    return result
