"""Countries and places: towns where cards are at home or travel to, and each country's online shelf."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.arrays import Flags, Floats, Ints

KM_PER_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Country:
    """A country as a disc: code, currency of its cards, centre, radius, hours ahead of UTC (standard time)."""

    code: str
    currency: str
    latitude: float
    longitude: float
    radius_km: float
    utc_offset_h: int


COUNTRIES: tuple[Country, ...] = (
    Country("AT", "EUR", 47.6, 14.1, 140, 1),
    Country("BE", "EUR", 50.6, 4.7, 90, 1),
    Country("CH", "CHF", 46.9, 8.1, 110, 1),
    Country("DE", "EUR", 51.0, 10.2, 280, 1),
    Country("ES", "EUR", 39.9, -3.5, 330, 1),
    Country("FR", "EUR", 46.8, 2.6, 350, 1),
    Country("GB", "GBP", 52.6, -1.5, 230, 0),
    Country("IT", "EUR", 43.0, 12.2, 260, 1),
    Country("NL", "EUR", 52.1, 5.4, 100, 1),
    Country("PT", "EUR", 39.6, -8.2, 150, 0),
    Country("TH", "THB", 14.8, 100.9, 300, 7),
    Country("TR", "TRY", 38.6, 31.0, 380, 3),
    Country("US", "USD", 39.5, -92.0, 1300, -6),
)
COUNTRY_CODES: tuple[str, ...] = tuple(country.code for country in COUNTRIES)
CURRENCIES: tuple[str, ...] = tuple(sorted({country.currency for country in COUNTRIES}))
RESORTS_PER_COUNTRY = 2


@dataclass(frozen=True, slots=True)
class Places:
    """Columns over places: towns first, then one online shelf a country (no position).

    `weight` is a town's share of its country's customers (Zipf); resorts in countries where no card is at home count
    as towns too. `online_of_country` maps a country's position to its shelf.
    """

    country: Ints
    latitude: Floats
    longitude: Floats
    utc_offset_h: Floats
    weight: Floats
    is_online: Flags
    online_of_country: Ints

    @property
    def towns(self) -> Ints:
        """Places with a position."""
        return np.flatnonzero(~self.is_online)


def lay_out(home_countries: dict[str, float], cards: int, rng: np.random.Generator) -> Places:
    """Scatter towns over countries; the more cards are at home in a country, the more towns it has."""
    counts = [_town_count(home_countries.get(country.code, 0.0) * cards) for country in COUNTRIES]
    country = np.repeat(np.arange(len(COUNTRIES)), counts)
    towns = len(country)
    reach = np.array([c.radius_km for c in COUNTRIES])[country] * np.sqrt(rng.random(towns)) / KM_PER_DEGREE
    angle = rng.random(towns) * 2 * np.pi
    centre_latitude = np.array([c.latitude for c in COUNTRIES])[country]
    latitude = centre_latitude + reach * np.sin(angle)
    longitude = np.array([c.longitude for c in COUNTRIES])[country] + reach * np.cos(angle) / np.cos(
        np.radians(latitude)
    )
    weight = np.concatenate([_zipf(count) for count in counts])
    shelves = np.arange(len(COUNTRIES))
    country = np.concatenate((country, shelves))
    nowhere = np.full(len(shelves), np.nan)
    return Places(
        country=country,
        latitude=np.concatenate((latitude, nowhere)),
        longitude=np.concatenate((longitude, nowhere)),
        utc_offset_h=np.array([float(c.utc_offset_h) for c in COUNTRIES])[country],
        weight=np.concatenate((weight, np.ones(len(shelves)))),
        is_online=np.arange(len(country)) >= towns,
        online_of_country=towns + shelves,
    )


def _town_count(cards_at_home: float) -> int:
    return int(np.clip(round(np.sqrt(cards_at_home) / 4.0), RESORTS_PER_COUNTRY, 40))


def _zipf(count: int) -> Floats:
    weight = 1.0 / np.arange(1, count + 1)
    result: Floats = weight / weight.sum()
    return result
