"""Who spends: customers with homes and habits, their cards and devices."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.fraud.categories import CASH, CATEGORIES, column
from streams.worlds.fraud.config import FraudWorldConfig
from streams.worlds.fraud.drafts import Flags, Floats, Ints
from streams.worlds.fraud.geography import COUNTRY_CODES, Places

CARDS_PER_CUSTOMER = 1.2
DEVICES_PER_CUSTOMER = 5
PHONES, LAPTOP = 4, 4
"""A customer's device slots: four phones one after the other, and a laptop."""
HABIT_CONCENTRATION = 12.0


@dataclass(frozen=True, slots=True)
class Population:
    """Columns over customers and over cards.

    Customers: `home` and `work` (places), `hour_shift` (early or late risers), `online_taste` (factor on a category's
    online share), `has_wallet` (pays contactless by phone). Cards: `customer`, `busyness` (factor on the mean rate),
    `log_wealth` (on amounts), `loyalty` (share of purchases at usual outlets), `taste` (cumulated category shares,
    float64 [cards, categories]), `cumulated` (cards by activity, for drawing).
    Devices: slots of customers first, then `fresh_devices` that nobody has used yet.
    """

    home: Ints
    work: Ints
    hour_shift: Floats
    online_taste: Floats
    has_wallet: Flags
    customer: Ints
    busyness: Floats
    log_wealth: Floats
    loyalty: Floats
    taste: Floats
    cumulated: Floats
    fresh_devices: int

    @property
    def cards(self) -> int:
        """How many cards there are."""
        return len(self.customer)

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return len(self.home)

    @property
    def devices(self) -> int:
        """How many devices can ever appear."""
        return self.customers * DEVICES_PER_CUSTOMER + self.fresh_devices

    def draw_cards(self, count: int, rng: np.random.Generator) -> Ints:
        """Draw cards, the busier the likelier: int64 [count]."""
        return np.searchsorted(self.cumulated, rng.random(count), side="right")


def settle(config: FraudWorldConfig, places: Places, rng: np.random.Generator) -> Population:
    """Settle customers in the towns of their home countries and give them cards and habits."""
    customers = max(1, round(config.cards / CARDS_PER_CUSTOMER))
    home = _homes(config, places, customers, rng)
    customer = np.concatenate((np.arange(customers), rng.integers(0, customers, config.cards - customers)))
    busyness = rng.gamma(2.5, 1 / 2.5, config.cards) + 0.05
    busyness /= busyness.mean()
    cumulated = np.cumsum(busyness)
    return Population(
        home=home,
        work=_work_places(places, home, rng),
        hour_shift=rng.normal(0.0, 1.2, customers),
        online_taste=np.exp(rng.normal(0.0, 0.45, customers)),
        has_wallet=rng.random(customers) < 0.4,
        customer=customer,
        busyness=busyness,
        log_wealth=rng.normal(0.0, 0.35, customers)[customer] + rng.normal(0.0, 0.15, config.cards),
        loyalty=rng.beta(7.0, 2.5, config.cards),
        taste=_tastes(config.cards, rng),
        cumulated=cumulated / cumulated[-1],
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


def _tastes(cards: int, rng: np.random.Generator) -> Floats:
    """Each card's own category shares around the mean ones (Dirichlet), cumulated over categories."""
    weights = rng.standard_gamma(column("share") * HABIT_CONCENTRATION, (cards, len(CATEGORIES))) + 1e-6
    weights[:, CASH] = np.minimum(weights[:, CASH], 0.3 * weights.sum(axis=1))
    cumulated = np.cumsum(weights, axis=1)
    result: Floats = cumulated / cumulated[:, -1:]
    return result
