"""Where money is spent: merchants, their terminals, and online storefronts."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.arrays import Floats, Ints
from streams.worlds.fraud.categories import CASH, CATEGORIES, TRANSFER, column
from streams.worlds.fraud.drafts import NONE
from streams.worlds.fraud.geography import KM_PER_DEGREE, Places

TERMINALS_MAX = 4
TOWN_RADIUS_KM = 4.0
PAYEES_PER_CARD, PAYEES_MIN = 1.0, 60


@dataclass(frozen=True, slots=True)
class Outlets:
    """Columns over outlets: one row a terminal, or a storefront (terminal -1, no position).

    Rows lie in groups of one place and one category, the busiest first, so that a Zipf rank is a row.
    `group_start` and `group_size` are indexed by place × categories + category.
    """

    merchant: Ints
    terminal: Ints
    place: Ints
    category: Ints
    latitude: Floats
    longitude: Floats
    country: Ints
    log_price: Floats
    group_start: Ints
    group_size: Ints
    merchants: int
    terminals: int

    def at(self, places: Ints, categories: Ints, u: Floats) -> Ints:
        """Pick an outlet for each place and category; `u` in [0, 1) becomes a rank, busy outlets first.

        floor((n+1)^u) − 1 has probability log((k+2)/(k+1)) / log(n+1) for rank k: Zipf's law with exponent one.
        """
        group = places * len(CATEGORIES) + categories
        size = self.group_size[group]
        rank = np.exp(u * np.log(size + 1.0)).astype(np.int64) - 1
        found: Ints = self.group_start[group] + np.minimum(rank, size - 1)
        return found


def open_outlets(places: Places, town_cards: Floats, rng: np.random.Generator) -> Outlets:
    """Open merchants in every place, more where more cards are at home.

    `town_cards` is float64 [places]: cards at home in each place (for an online shelf: in its country).
    """
    categories = len(CATEGORIES)
    merchants_by_group = _merchant_counts(places, town_cards)
    group = np.repeat(np.arange(len(merchants_by_group)), merchants_by_group)
    online = places.is_online[group // categories]
    width = np.where(online, 1, rng.integers(1, TERMINALS_MAX + 1, len(group)))
    merchant = np.repeat(np.arange(len(group)), width)
    group, online = group[merchant], online[merchant]
    place = group // categories
    count = len(merchant)
    reach = TOWN_RADIUS_KM / KM_PER_DEGREE
    latitude = places.latitude[place] + rng.normal(0.0, reach, count)
    longitude = places.longitude[place] + rng.normal(0.0, reach, count) / np.cos(np.radians(latitude))
    size = np.bincount(group, minlength=len(merchants_by_group))
    return Outlets(
        merchant=merchant,
        terminal=np.where(online, NONE, np.cumsum(~online) - 1),
        place=place,
        category=group % categories,
        latitude=np.round(latitude, 5),
        longitude=np.round(longitude, 5),
        country=places.country[place],
        log_price=rng.normal(0.0, 0.25, len(width))[merchant],
        group_start=np.concatenate(([0], np.cumsum(size)[:-1])),
        group_size=size,
        merchants=len(width),
        terminals=int((~online).sum()),
    )


def _merchant_counts(places: Places, town_cards: Floats) -> Ints:
    """Merchants of each place and category: int64 [places × categories]; none where a category does not exist."""
    online_share = column("online_share")
    appetite = np.sqrt(column("share"))
    crowd = np.sqrt(town_cards)[:, None]
    walk_in = np.maximum(2, np.round(0.6 * crowd * appetite)) * (online_share < 1.0)
    shelf = np.maximum(3, np.round(0.9 * crowd * appetite)) * (online_share > 0.0)
    walk_in[:, CASH] = np.maximum(2, walk_in[:, CASH])
    shelf[:, TRANSFER] = np.maximum(PAYEES_MIN, PAYEES_PER_CARD * town_cards)
    counts = np.where(places.is_online[:, None], shelf, walk_in)
    return counts.astype(np.int64).ravel()
