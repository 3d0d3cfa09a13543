"""What a money-laundering world is asked to be: bounds are checked here, with the key, the value and the bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from math import isfinite
from types import MappingProxyType
from typing import Any

from streams.errors import BadInputError
from streams.labels import NS_PER_DAY, NS_PER_S
from streams.markets import MARKETS

BLOCK_DAYS = 7
BLOCK_NS = BLOCK_DAYS * NS_PER_DAY

_BOUNDS: dict[str, tuple[float, float]] = {
    "customers": (200, 1_000_000),
    "activity": (0.2, 5.0),
    "business_share": (0.05, 0.5),
    "laundering_share": (0.0001, 0.02),
    "untyped_share": (0.3, 0.7),
    "boldness": (0.0, 3.0),
    "circle_share": (0.0, 1.0),
    "declared_error": (0.0, 2.0),
    "look_alike_share": (0.0, 0.2),
    "look_alike_factor": (0.0, 4.0),
}
PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "easy": {
            "boldness": 1.6,
            "circle_share": 0.02,
            "declared_error": 0.25,
            "look_alike_factor": 0.67,
            "untyped_share": 0.36,
        },
        "medium": {},
        "hard": {
            "boldness": 0.5,
            "circle_share": 0.5,
            "declared_error": 0.7,
            "look_alike_factor": 2.67,
            "untyped_share": 0.5,
        },
    }
)
"""How hard laundering is to see, by name: what differs from the defaults, which are the medium world."""


@dataclass(frozen=True)
class AmlWorldConfig:
    """A money-laundering world; the defaults are the medium one of `PRESETS`.

    `customers` are people and businesses (`business_share` of them), `markets` the countries whose banks they have, by
    code, or how many of them, in the table's order. `start` is the ISO date of the first transfer (00:00 UTC).
    `activity` multiplies how often everybody pays. `laundering_share` is the share of laundering among all transfers,
    `untyped_share` its part without a pattern's shape. `boldness` scales the sums that launderers move against what is
    usual for the accounts (log of the median), `circle_share` is the share of accomplices whom they have paid before.
    `declared_error` is how far (sigma of the log) declared volumes are from real ones. `look_alike_share` is the share
    of all transfers that imitate laundering, multiplied by `look_alike_factor`.
    `typology_weights` are shares of the typed laundering transfers by typology, `look_alike_weights` shares of the
    look-alikes' transfers by name; empty means the registries' own. What is left out of weights that are given does not
    happen. Raises BadInputError for anything out of bounds.
    """

    customers: int = 3_500
    markets: int | Sequence[str] = 8
    start: str = "2026-01-05"
    activity: float = 1.0
    business_share: float = 0.16
    laundering_share: float = 0.001
    untyped_share: float = 0.38
    boldness: float = 1.0
    circle_share: float = 0.03
    declared_error: float = 0.45
    look_alike_share: float = 0.0012
    look_alike_factor: float = 1.0
    typology_weights: Mapping[str, float] = field(default_factory=dict)
    look_alike_weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every bound."""
        if isinstance(self.customers, bool) or not isinstance(self.customers, int):
            raise BadInputError(f"world key customers is {self.customers!r}, it must be a whole number")
        for key, (low, high) in _BOUNDS.items():
            _check_number(key, getattr(self, key), low, high)
        _ = self.start_ns, self.market_codes

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "AmlWorldConfig":
        """Build from a scenario file's keys, put over those of its `preset`; an unknown key is refused by name."""
        known = ["preset", *(entry.name for entry in fields(cls))]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise BadInputError(f"unknown world key {unknown[0]!r}; known are {', '.join(known)}")
        given = dict(values)
        return replace(cls.preset(given.pop("preset", "medium")), **given)

    @classmethod
    def preset(cls, name: str) -> "AmlWorldConfig":
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
    def market_codes(self) -> tuple[str, ...]:
        """The markets chosen, the one with most customers first."""
        chosen = self.markets
        if isinstance(chosen, bool) or not isinstance(chosen, int | list | tuple):
            raise BadInputError(f"world key markets is {chosen!r}, it must be a number or a list of country codes")
        if isinstance(chosen, int):
            if not 1 <= chosen <= len(MARKETS):
                raise BadInputError(f"world key markets is {chosen}, allowed are 1 to {len(MARKETS)}")
            return tuple(MARKETS)[:chosen]
        for code in chosen:
            if code not in MARKETS:
                raise BadInputError(f"world key markets names {code!r}; known are {', '.join(MARKETS)}")
        if not chosen or len(set(chosen)) < len(chosen):
            raise BadInputError(f"world key markets is {chosen!r}; name at least one market, and none twice")
        return tuple(chosen)


def named_weights(key: str, given: Mapping[str, float], defaults: Mapping[str, float]) -> list[float]:
    """Return one share a registered name, in the registry's order, adding up to 1: as given (0 if left out), or the
    defaults. Raises BadInputError for an unknown name, or a weight that is no number ≥ 0.
    """
    if not isinstance(given, Mapping):
        raise BadInputError(f"world key {key} is {given!r}, it must map names to numbers")
    for name, weight in given.items():
        if name not in defaults:
            raise BadInputError(f"world key {key} names {name!r}; known are {', '.join(defaults)}")
        _check_number(f"{key}.{name}", weight, 0.0, 1e6)
    if given and sum(given.values()) <= 0:
        raise BadInputError(f"world key {key} has no weight above 0")
    chosen = given or defaults
    total = sum(chosen.values())
    return [float(chosen.get(name, 0.0)) / total for name in defaults]


def _check_number(key: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInputError(f"world key {key} is {value!r}, it must be a number")
    if not (isfinite(value) and low <= value <= high):
        raise BadInputError(f"world key {key} is {value!r}, allowed are {low:g} to {high:g}")
