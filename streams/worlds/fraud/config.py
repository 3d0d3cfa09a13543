"""What a card world is asked to be: bounds are checked here, with the key, the value and the bound."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from math import isfinite
from types import MappingProxyType
from typing import Any

from streams.errors import BadInputError
from streams.labels import NS_PER_DAY, NS_PER_S
from streams.worlds.fraud.geography import COUNTRY_CODES

BLOCK_DAYS = 7
BLOCK_NS = BLOCK_DAYS * NS_PER_DAY

_BOUNDS: dict[str, tuple[float, float]] = {
    "cards": (50, 1_000_000),
    "transactions_per_card_per_day": (0.05, 50.0),
    "fraud_share": (0.0005, 0.05),
    "label_delay_days": (0.0, 180.0),
    "never_reported_share": (0.0, 1.0),
    "foreign_online_share": (0.0, 1.0),
    "boldness": (0.0, 3.0),
    "own_device_share": (0.0, 1.0),
    "look_alike_factor": (0.0, 3.0),
    "look_alike_share": (0.0, 0.15),
}
PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "easy": {
            "fraud_share": 0.006,
            "boldness": 1.4,
            "own_device_share": 0.0,
            "look_alike_factor": 0.5,
            "never_reported_share": 0.0,
            "foreign_online_share": 0.05,
        },
        "medium": {},
        "hard": {
            "fraud_share": 0.003,
            "boldness": 0.55,
            "own_device_share": 0.2,
            "look_alike_factor": 1.5,
            "never_reported_share": 0.15,
            "foreign_online_share": 0.18,
        },
    }
)
"""How hard fraud is to see, by name: what differs from the defaults, which are the medium world."""
_DEFAULT_HOMES = MappingProxyType({"DE": 0.35, "FR": 0.2, "GB": 0.2, "NL": 0.15, "AT": 0.1})


@dataclass(frozen=True)
class FraudWorldConfig:
    """A card world; the defaults are the medium one of `PRESETS`.

    `start` is the ISO date of the first event (00:00 UTC). `fraud_share` is the share of fraud among all events.
    `boldness` scales how far above habit fraudulent amounts are (log of the median), `own_device_share` is the share of
    fraudulent online payments made from the victim's own device, `look_alike_factor` multiplies the look-alikes'
    shares.
    `home_countries` are weights by ISO code. `scenario_weights` are shares of the fraud events by scenario name,
    `look_alike_shares` shares of all events by look-alike name; empty means the registries' own. A scenario that is
    left out of weights that are given does not happen. Raises BadInputError for anything out of bounds.
    """

    cards: int = 4_000
    start: str = "2026-01-05"
    transactions_per_card_per_day: float = 1.6
    fraud_share: float = 0.004
    label_delay_days: float = 7.0
    never_reported_share: float = 0.05
    foreign_online_share: float = 0.10
    boldness: float = 1.0
    own_device_share: float = 0.05
    look_alike_factor: float = 1.0
    home_countries: Mapping[str, float] = field(default_factory=lambda: dict(_DEFAULT_HOMES))
    scenario_weights: Mapping[str, float] = field(default_factory=dict)
    look_alike_shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every bound."""
        if isinstance(self.cards, bool) or not isinstance(self.cards, int):
            raise BadInputError(f"world key cards is {self.cards!r}, it must be a whole number")
        for key, (low, high) in _BOUNDS.items():
            if key != "look_alike_share":
                _check_number(key, getattr(self, key), low, high)
        _check_weights("home_countries", self.home_countries, COUNTRY_CODES)
        if not self.home_countries:
            raise BadInputError("world key home_countries is empty; give at least one country with a weight above 0")
        _ = self.start_ns

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "FraudWorldConfig":
        """Build from a scenario file's keys, put over those of its `preset`; an unknown key is refused by name."""
        known = ["preset", *(entry.name for entry in fields(cls))]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise BadInputError(f"unknown world key {unknown[0]!r}; known are {', '.join(known)}")
        given = dict(values)
        return replace(cls.preset(given.pop("preset", "medium")), **given)

    @classmethod
    def preset(cls, name: str) -> "FraudWorldConfig":
        """Build the easy, the medium or the hard world; raises BadInputError for another name."""
        if name not in PRESETS:
            raise BadInputError(f"world key preset is {name!r}; known are {', '.join(PRESETS)}")
        return cls(**PRESETS[name])  # type: ignore[arg-type]

    @property
    def start_ns(self) -> int:
        """First instant of the world, ns since the Unix epoch, UTC."""
        try:
            day = date.fromisoformat(self.start)
        except (ValueError, TypeError):
            raise BadInputError(f"world key start is {self.start!r}, it must be a date such as 2026-01-05") from None
        if not 1971 <= day.year <= 2090:
            raise BadInputError(f"world key start is {self.start!r}, allowed are the years 1971 to 2090")
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * NS_PER_S

    @property
    def label_delay_ns(self) -> int:
        """From event to report, ns."""
        return round(self.label_delay_days * NS_PER_DAY)

    @property
    def events_per_block(self) -> float:
        """Events expected in one block of event time, fraud and look-alikes included."""
        return self.cards * self.transactions_per_card_per_day * BLOCK_DAYS

    @property
    def home_shares(self) -> dict[str, float]:
        """Home countries' weights, normalised, in the order of codes."""
        total = sum(self.home_countries.values())
        return {code: self.home_countries[code] / total for code in sorted(self.home_countries)}


def named_shares(key: str, given: Mapping[str, float], defaults: Mapping[str, float]) -> list[float]:
    """Return one number a registered name, in the registry's order: as given (0 if left out), or the defaults.

    Raises BadInputError for an unknown name, or a weight that is no number ≥ 0.
    """
    _check_weights(key, given, tuple(defaults))
    chosen = given or defaults
    return [float(chosen.get(name, 0.0)) for name in defaults]


def check_look_alikes(shares: Mapping[str, float]) -> None:
    """Raise BadInputError for a look-alike's share that is out of bounds."""
    for name, share in shares.items():
        _check_number(f"look_alike_shares.{name}", share, *_BOUNDS["look_alike_share"])


def _check_weights(key: str, weights: Mapping[str, float], known: tuple[str, ...]) -> None:
    if not isinstance(weights, Mapping):
        raise BadInputError(f"world key {key} is {weights!r}, it must map names to numbers")
    for name, weight in weights.items():
        if name not in known:
            raise BadInputError(f"world key {key} names {name!r}; known are {', '.join(known)}")
        _check_number(f"{key}.{name}", weight, 0.0, 1e6)
    if weights and sum(weights.values()) <= 0:
        raise BadInputError(f"world key {key} has no weight above 0")


def _check_number(key: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInputError(f"world key {key} is {value!r}, it must be a number")
    if not (isfinite(value) and low <= value <= high):
        raise BadInputError(f"world key {key} is {value!r}, allowed are {low:g} to {high:g}")
