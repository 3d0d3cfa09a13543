"""The catalogue of fraud features: order, unit, bounds and words. The order is the order of the kernel's columns."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "flag", "category"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature column (float32; NaN where it cannot be known).

    `phrase` says it in words; `{value}` is replaced by the value with its unit. `low` and `high` bound what the
    column can hold (a rule that compares with a value outside them is refused).
    """

    name: str
    kind: Kind
    unit: str
    low: float
    high: float
    phrase: str


def _number(name: str, unit: str, high: float, phrase: str, low: float = 0.0) -> Feature:
    return Feature(name, "number", unit, low, high, phrase)


def _flag(name: str, phrase: str) -> Feature:
    return Feature(name, "flag", "", 0.0, 1.0, phrase)


MONEY_MAX = 1e9
WINDOWS = (
    ("1h", "the last hour"),
    ("24h", "the last 24 hours"),
    ("7d", "the last 7 days"),
    ("30d", "the last 30 days"),
)
RISK_WINDOWS_DAYS = (1, 7, 30)
RISK_PLACES = ("terminal", "merchant")


def _window_features() -> tuple[Feature, ...]:
    counts = [_number(f"count_{w}", "transactions", 1e6, f"{{value}} on this card in {words}") for w, words in WINDOWS]
    sums = [_number(f"sum_{w}", "money", MONEY_MAX, f"{{value}} spent on this card in {words}") for w, words in WINDOWS]
    means = [
        _number(f"mean_{w}", "money", MONEY_MAX, f"mean amount {{value}} on this card in {words}")
        for w, words in WINDOWS
    ]
    return (*counts, *sums, *means)


def _risk_features() -> tuple[Feature, ...]:
    found: list[Feature] = []
    for place in RISK_PLACES:
        for days in RISK_WINDOWS_DAYS:
            found.append(
                _number(
                    f"{place}_count_{days}d",
                    "transactions",
                    1e9,
                    f"{{value}} at this {place} in {days} days (before the label delay)",
                )
            )
        for days in RISK_WINDOWS_DAYS:
            found.append(
                _number(
                    f"{place}_risk_{days}d",
                    "share",
                    1.0,
                    f"{{value}} of the transactions at this {place} in {days} days were fraud",
                )
            )
    return tuple(found)


FEATURES: tuple[Feature, ...] = (
    _number("amount", "money", MONEY_MAX, "amount is {value}"),
    Feature("category_code", "category", "category", -1, 4095, "merchant category is {value}"),
    Feature("channel_code", "category", "channel", -1, 15, "channel is {value}"),
    _number("hour", "h", 24, "time of day is {value}"),
    _flag("is_night", "it is night (22–06 UTC)"),
    _flag("is_weekend", "it is the weekend"),
    _number("seconds_since_last", "s", 4e9, "{value} since this card's last transaction"),
    _number("distance_from_last_km", "km", 20_040, "{value} from this card's last transaction"),
    _number("speed_from_last_kmh", "km/h", 1e9, "a speed of {value} since this card's last transaction"),
    *_window_features(),
    _number("amount_to_mean_30d", "times", 1e9, "amount is {value} this card's 30-day mean"),
    _flag("is_new_merchant", "first time at this merchant"),
    _flag("is_new_device", "first time on this device"),
    _flag("is_new_country", "first time in this country"),
    # at most 30 days: an older card is "not new", and the age does not follow the calendar
    _number("card_age_days", "days", 30, "card first seen {value} ago"),
    _number("distance_from_centre_km", "km", 20_040, "{value} from where this card was used in the last 30 days"),
    *_risk_features(),
)

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
FEATURE_INDEX: dict[str, int] = {name: index for index, name in enumerate(FEATURE_NAMES)}
