"""The catalogue of fraud features: order, unit, bounds and words. The order is the order of the kernel's columns."""

from dataclasses import dataclass
from typing import Literal

from models.features.place_kinds import KINDS
from streams.causes import Cause

Kind = Literal["number", "flag", "category"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature column (float32; NaN where it cannot be known).

    `phrase` says it in words; `{value}` is replaced by the value with its unit. `low` and `high` bound what the
    column can hold (a rule that compares with a value outside them is refused). `family` is the evidence it belongs to.
    """

    name: str
    kind: Kind
    unit: str
    low: float
    high: float
    phrase: str
    family: Cause


def _number(family: Cause, name: str, unit: str, high: float, phrase: str, low: float = 0.0) -> Feature:
    return Feature(name, "number", unit, low, high, phrase, family)


def _flag(family: Cause, name: str, phrase: str) -> Feature:
    return Feature(name, "flag", "", 0.0, 1.0, phrase, family)


MONEY_MAX = 1e9
WINDOWS = (
    ("1h", "the last hour"),
    ("24h", "the last 24 hours"),
    ("7d", "the last 7 days"),
    ("30d", "the last 30 days"),
)


def _window_features() -> tuple[Feature, ...]:
    counts = [
        _number("velocity", f"count_{w}", "transactions", 1e6, f"{{value}} on this card in {words}")
        for w, words in WINDOWS
    ]
    sums = [
        _number("velocity", f"sum_{w}", "money", MONEY_MAX, f"{{value}} spent on this card in {words}")
        for w, words in WINDOWS
    ]
    means = [
        _number("amount", f"mean_{w}", "money", MONEY_MAX, f"mean amount {{value}} on this card in {words}")
        for w, words in WINDOWS
    ]
    return (*counts, *sums, *means)


def _own_habit_features() -> tuple[Feature, ...]:
    return (
        _flag("refund", "is_refund", "it is a refund"),
        _number("refund", "refund_count_30d", "refunds", 1e6, "{value} to this card in the last 30 days"),
        _number("refund", "refund_sum_30d", "money", MONEY_MAX, "{value} paid back to this card in the last 30 days"),
        _number("refund", "refund_to_spend_30d", "share", 1e9, "{value} of this card's 30-day spending was paid back"),
        _number("merchant", "new_merchants_7d", "merchants", 1e6, "{value} new to this card in the last 7 days"),
        _number("merchant", "seconds_since_merchant", "s", 4.2e9, "{value} since this card's last purchase here"),
        _number("device", "devices_30d", "devices", 8, "{value} used with this card in the last 30 days"),
        _number(
            "amount", "amount_spread_30d", "spreads", 40 * 8, "amount is {value} from this card's usual", low=-40 * 8
        ),
        _number("amount", "amount_to_max_30d", "times", 1e11, "amount is {value} this card's largest in 30 days"),
        _number("amount", "amount_to_mean_7d", "times", 1e11, "amount is {value} this card's 7-day mean"),
        # "earlier": purchases 7 to 30 days ago, which a fraud of this week has not touched
        _number("amount", "amount_to_older_mean", "times", 1e11, "amount is {value} this card's earlier mean"),
        _number(
            "amount", "max_7d_to_older_mean", "times", 1e11, "largest of 7 days is {value} this card's earlier mean"
        ),
        _number("amount", "mean_7d_to_older_mean", "times", 1e11, "mean of 7 days is {value} this card's earlier mean"),
    )


def _place_features() -> tuple[Feature, ...]:
    return tuple(
        _number(column.family, f"{kind.name}_{column.name}", column.unit, column.high, column.phrase)
        for kind in KINDS
        for column in kind.columns
    )


FEATURES: tuple[Feature, ...] = (
    _number("amount", "amount", "money", MONEY_MAX, "amount is {value}"),
    Feature("category_code", "category", "category", -1, 4095, "merchant category is {value}", "merchant"),
    Feature("channel_code", "category", "channel", -1, 15, "channel is {value}", "merchant"),
    _number("time", "hour", "h", 24, "time of day is {value}"),
    _flag("time", "is_night", "it is night (22–06 UTC)"),
    _flag("time", "is_weekend", "it is the weekend"),
    _number("velocity", "seconds_since_last", "s", 4e9, "{value} since this card's last transaction"),
    _number("location", "distance_from_last_km", "km", 20_040, "{value} from this card's last transaction"),
    _number("location", "speed_from_last_kmh", "km/h", 1e9, "a speed of {value} since this card's last transaction"),
    *_window_features(),
    _number("amount", "amount_to_mean_30d", "times", 1e11, "amount is {value} this card's 30-day mean"),
    _flag("merchant", "is_new_merchant", "first time at this merchant"),
    _flag("device", "is_new_device", "first time on this device"),
    _flag("location", "is_new_country", "first time in this country"),
    # at most 30 days: an older card is "not new", and the age does not follow the calendar
    _number("age", "card_age_days", "days", 30, "card first seen {value} ago"),
    _number(
        "location", "distance_from_centre_km", "km", 20_040, "{value} from where this card was used in the last 30 days"
    ),
    *_own_habit_features(),
    *_place_features(),
)

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
FEATURE_INDEX: dict[str, int] = {name: index for index, name in enumerate(FEATURE_NAMES)}
PLACES_AT = len(FEATURES) - sum(kind.width for kind in KINDS)
"""Column of the first feature that comes from a day table."""
