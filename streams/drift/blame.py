"""Which features rightly stand out when a field of the events has shifted: by their names' beginnings, by domain."""

from collections.abc import Iterable, Mapping

from streams.topics import Domain

TRAFFIC = "(how many events there are)"
"""Not a field, but shifted all the same: by events that are there more often, or not at all."""
REPORTS = "(how much fraud is reported)"
"""No field either: what features know of frauds that were reported."""

_MONEY = (
    "amount", "in_sum_", "out_sum_", "is_just_below", "is_round", "just_below_", "round_share", "cash_in_sum",
    "cash_out_sum", "risky_corridor_sum", "virtual_asset_sum", "turnover_", "volume_to", "cash_to", "pass_through",
    "chain_hops", "cycle_match", "new_country_sum", "new_country_to",
)  # fmt: skip
_COUNTRIES = (
    "is_cross_border", "is_converted", "corridor_risk", "is_high_risk_country", "foreign_share", "risky_corridor",
    "is_unexpected_foreign", "days_since_country", "new_country",
)  # fmt: skip
_WHO = (
    "senders_", "receivers_", "is_new_counterparty", "new_share", "fan_", "gather_scatter", "scatter_gather",
    "reciprocity", "in_count", "out_count", "in_sum", "out_sum", "cycle", "chain_hops", "bipartite", "stack",
    "pass_through", "hours_since", "amount_to_opposite", "amount_match", "community", "core_number", "component",
    "pagerank",
)  # fmt: skip
_CLOCK = ("hour", "is_night", "is_weekend", "days_since", "quiet_days")

_OF_CARDS: Mapping[str, tuple[str, ...]] = {
    "amount_minor": ("amount", "sum_", "mean_", "max_", "refund_sum", "refund_to_spend"),
    "category": ("category_code",),
    "channel": ("channel_code",),
    "country": ("is_new_country",),
    "merchant_id": ("is_new_merchant", "new_merchants", "seconds_since_merchant", "merchant_"),
    "terminal_id": ("terminal_",),
    "device_id": ("is_new_device", "devices_", "device_"),
    "latitude": ("distance_", "speed_"),
    "longitude": ("distance_", "speed_"),
    "event_time_ns": ("hour", "is_night", "is_weekend", "seconds_since_", "speed_", "count_1h", "sum_1h"),
    "is_refund": ("is_refund", "refund_"),
    "customer_id": (),
    "currency": (),
    REPORTS: (
        "terminal_risk",
        "terminal_genuine_since",
        "terminal_days_since",
        "merchant_risk",
        "merchant_genuine_since",
        "merchant_days_since",
        "merchant_compromised",
        "device_frauds",
    ),
    TRAFFIC: ("count_", "sum_", "seconds_since_", "terminal_count", "merchant_count"),
}
_OF_TRANSFERS: Mapping[str, tuple[str, ...]] = {
    "amount_minor": _MONEY,
    "received_minor": ("is_converted", "in_sum_"),
    "currency": (*_MONEY, "is_converted"),
    "received_currency": ("is_converted", "in_sum_"),
    "channel": ("channel_code", "is_cash", "is_instant", "is_virtual_asset", "cash_", "virtual_asset_"),
    "from_country": _COUNTRIES,
    "to_country": _COUNTRIES,
    "from_bank": (),
    "to_bank": (),
    "from_account": _WHO,
    "to_account": _WHO,
    "event_time_ns": _CLOCK,
    REPORTS: (),
    TRAFFIC: ("in_count", "out_count", "in_sum", "out_sum", "days_since", "hours_since", "turnover_", "volume_to"),
}
_FEATURES: Mapping[Domain, Mapping[str, tuple[str, ...]]] = {"fraud": _OF_CARDS, "aml": _OF_TRANSFERS}


def features_of(domain: Domain, fields: Iterable[str]) -> tuple[str, ...]:
    """The beginnings of the names of all features that depend directly on one of these fields."""
    return tuple(dict.fromkeys(name for field in fields for name in _FEATURES[domain][field]))


def is_blamed(feature: str, blamed: Iterable[str]) -> bool:
    """Whether a feature is among those one would rightly blame."""
    return any(feature.startswith(beginning) for beginning in blamed)
