"""The catalogue of money-laundering features: order, unit, bounds and words. The order is that of the kernel's columns.

A row is of one account at the instant of one transfer, the transfer included.
"""

from dataclasses import replace

from models.features.catalog import MONEY_MAX, Feature
from models.graph.kernel.layout import CHAIN_HOPS_MAX, COLUMNS, MET_DAYS_MAX, TOLD_OF_OTHER
from streams.causes import Cause

COUNT_MAX = 1e7
RATIO_MAX = 1e15
DAYS_MAX = 1.1e5
WINDOWS = (("1d", "the last day"), ("7d", "the last 7 days"), ("30d", "the last 30 days"))


def _number(family: Cause, name: str, unit: str, high: float, phrase: str, low: float = 0.0) -> Feature:
    return Feature(name, "number", unit, low, high, phrase, family)


def _flag(family: Cause, name: str, phrase: str) -> Feature:
    return Feature(name, "flag", "", 0.0, 1.0, phrase, family)


_TRANSFER = (
    _number("amount", "amount_log_usd", "powers of ten", 20, "amount in US dollars is 10 to the {value}"),
    _number("amount", "amount_to_threshold", "times", RATIO_MAX, "amount is {value} the reporting threshold"),
    _flag("amount", "is_just_below_threshold", "amount is just below the reporting threshold"),
    _flag("amount", "is_round_amount", "amount is round"),
    _flag("network", "is_incoming", "the account receives it"),
    _flag("amount", "is_cash", "it is cash"),
    _flag("velocity", "is_instant", "it is an instant transfer"),
    _flag("network", "is_virtual_asset", "it buys or sells virtual assets"),
    Feature("channel_code", "category", "channel", -1, 15, "channel is {value}", "network"),
    _flag("location", "is_cross_border", "it crosses a border"),
    _flag("location", "is_converted", "it changes currency"),
    _number("location", "corridor_risk", "of 3", 3, "risk of the corridor is {value}", low=1),
    _flag("location", "is_high_risk_country", "the other side is in a high-risk country"),
    _number("time", "hour_local", "h", 24, "local time of day is {value}"),
    _flag("time", "is_night_local", "it is night (22–06 local time)"),
    _flag("time", "is_weekend_local", "it is the market's weekend"),
)


def _windows(direction: str, verb: str) -> tuple[Feature, ...]:
    counts = [
        _number("velocity", f"{direction}_count_{w}", "transfers", COUNT_MAX, f"{{value}} {verb} in {words}")
        for w, words in WINDOWS
    ]
    sums = [
        _number("velocity", f"{direction}_sum_{w}", "US dollars", MONEY_MAX * 1e6, f"{{value}} {verb} in {words}")
        for w, words in WINDOWS
    ]
    return (*counts, *sums)


_HISTORY = (
    _number("amount", "amount_to_mean_30d", "times", RATIO_MAX, "amount is {value} the account's 30-day mean this way"),
    _number(
        "amount", "amount_spread_30d", "spreads", 40 * 8, "amount is {value} from the account's usual", low=-40 * 8
    ),
    _number("velocity", "turnover_7d_to_older", "times", RATIO_MAX, "daily turnover of 7 days is {value} that before"),
    _number("time", "days_since_last", "days", DAYS_MAX, "{value} since the account last moved money"),
    _number("time", "quiet_days_before_7d", "days", DAYS_MAX, "the account was silent for {value} before this week's"),
    _number("amount", "cash_share_30d", "share", 1, "{value} of the account's 30-day turnover is cash"),
    _number("amount", "cash_in_sum_7d", "US dollars", MONEY_MAX * 1e6, "{value} paid in as cash in the last 7 days"),
    _number("amount", "cash_out_sum_7d", "US dollars", MONEY_MAX * 1e6, "{value} taken as cash in the last 7 days"),
    _number("amount", "just_below_count_7d", "transfers", COUNT_MAX, "{value} just below the threshold in 7 days"),
    _number("amount", "just_below_count_30d", "transfers", COUNT_MAX, "{value} just below the threshold in 30 days"),
    _number("amount", "round_share_7d", "share", 1, "{value} of the account's transfers in 7 days are round"),
    _number("location", "foreign_share_30d", "share", 1, "{value} of the account's 30-day turnover crossed borders"),
    _number(
        "location",
        "risky_corridor_sum_30d",
        "US dollars",
        MONEY_MAX * 1e6,
        "{value} through risky corridors in 30 days",
    ),
    _number(
        "network",
        "virtual_asset_sum_7d",
        "US dollars",
        MONEY_MAX * 1e6,
        "{value} for virtual assets in the last 7 days",
    ),
    _number("amount", "out_spread_7d", "doublings", 80, "amounts paid in 7 days differ by {value}"),
    _number("amount", "in_spread_7d", "doublings", 80, "amounts received in 7 days differ by {value}"),
)

_PROFILE = (
    _number("risk", "volume_to_expected_30d", "times", RATIO_MAX, "30-day turnover is {value} the declared one"),
    _number("risk", "cash_to_expected_30d", "times", RATIO_MAX, "30-day cash is {value} the declared one"),
    _flag("risk", "is_unexpected_foreign", "it crosses a border, which was not declared"),
    # at most a year: an older account is "not new", and the age does not follow the calendar
    _number("age", "account_age_days", "days", 365, "account opened {value} ago"),
    _number("risk", "risk_rating", "of 3", 3, "customer's risk rating is {value}", low=1),
    _flag("risk", "is_pep", "customer is a politically exposed person"),
    _flag("risk", "is_business", "customer is a business"),
)

_COUNTERPARTIES = (
    *(
        _number("network", f"senders_{w}", "senders", COUNT_MAX, f"money from {{value}} in {words}")
        for w, words in WINDOWS
    ),
    *(
        _number("network", f"receivers_{w}", "receivers", COUNT_MAX, f"money to {{value}} in {words}")
        for w, words in WINDOWS
    ),
    _flag("network", "is_new_counterparty", "first time with this counterparty in 30 days"),
    _number("network", "new_share_out_7d", "share", 1, "{value} of 7 days' payments went to new counterparties"),
    _number("network", "new_share_in_7d", "share", 1, "{value} of 7 days' receipts came from new counterparties"),
    _number("network", "fan_in_7d", "times", COUNT_MAX, "{value} as many senders as receivers in 7 days"),
    _number("network", "fan_out_7d", "times", COUNT_MAX, "{value} as many receivers as senders in 7 days"),
    _number("network", "gather_scatter_7d", "accounts", COUNT_MAX, "gathered from {value} and paid on to as many"),
    _number("network", "reciprocity_30d", "share", 1, "{value} of its counterparties both pay and are paid"),
)

_FLOW = (
    _number("velocity", "pass_through_1d", "share", 1, "{value} of a day's money went through"),
    _number("velocity", "pass_through_7d", "share", 1, "{value} of a week's money went through"),
    _number("velocity", "hours_since_opposite", "h", DAYS_MAX * 24, "{value} since money moved the other way"),
    _number("velocity", "amount_to_opposite_1d", "times", RATIO_MAX, "amount is {value} a day's money the other way"),
    _number("amount", "amount_match_7d", "share", 1, "the most alike amount the other way matches by {value}"),
    _number("velocity", "hours_since_match", "h", 7 * 24, "{value} after the most alike amount the other way"),
)

_PATTERNS = (
    *(
        _number("network", f"cycles_{length}_7d", "cycles", COUNT_MAX, f"closes {{value}} of {length} transfers")
        for length in (2, 3, 4, 5)
    ),
    _number("network", "cycles_6_to_8_7d", "cycles", COUNT_MAX, "closes {value} of 6 to 8 transfers"),
    _number("network", "cycle_hours", "h", 7 * 24, "the quickest cycle it closes took {value}"),
    _number("network", "cycle_match", "share", 1, "{value} of the amount came back where it began"),
    _number("network", "scatter_gather_7d", "accounts", COUNT_MAX, "one source's money came through {value}"),
    _number("network", "bipartite_7d", "accounts", COUNT_MAX, "{value} pay the same receivers as the sender"),
    _number("network", "stack_7d", "accounts", COUNT_MAX, "{value} have both source and receivers in common with it"),
    _number("network", "chain_hops_7d", "transfers", CHAIN_HOPS_MAX, "{value} of like amount in a row led to it"),
)

COMMUNITY_FEATURES = (
    _number("network", "community_size", "accounts", COUNT_MAX, "its community has {value}"),
    _number("network", "community_inner_share", "share", 1, "{value} of its community's links stay inside"),
    _number("network", "community_density", "share", 1, "{value} of its community's possible links are there"),
    _number("network", "pagerank_to_mean", "times", COUNT_MAX, "its centrality is {value} the mean"),
    _number("network", "core_number", "links", COUNT_MAX, "it belongs to a core of {value} each"),
    _number("network", "component_size", "accounts", COUNT_MAX, "it hangs together with {value}"),
)
"""The columns of a community table, in its order."""

_COUNTRIES = (
    _number("location", "days_since_country_met", "days", MET_DAYS_MAX, "the country was first met {value} ago"),
    _number("location", "new_country_count_30d", "transfers", COUNT_MAX, "{value} in 30 days with countries new to it"),
    _number(
        "location",
        "new_country_sum_30d",
        "US dollars",
        MONEY_MAX * 1e6,
        "{value} in 30 days with countries new to it",
    ),
    _number(
        "location",
        "new_country_to_expected_30d",
        "times",
        RATIO_MAX,
        "30-day money with countries new to it is {value} the declared",
    ),
)

_OWN = (
    *_TRANSFER,
    *_windows("out", "paid"),
    *_windows("in", "received"),
    *_HISTORY,
    *_PROFILE,
    *_COUNTERPARTIES,
    *_FLOW,
    *_PATTERNS,
    *COMMUNITY_FEATURES,
    *_COUNTRIES,
)


def _of_other(feature: Feature) -> Feature:
    """The same of the account on the other side, NaN where that is none that is known."""
    return replace(feature, name=f"other_{feature.name}", phrase=f"on the other side, {feature.phrase}")


AML_FEATURES: tuple[Feature, ...] = (*_OWN, *(_of_other(_OWN[column]) for column in TOLD_OF_OTHER))

AML_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in AML_FEATURES)
AML_FEATURE_INDEX: dict[str, int] = {name: index for index, name in enumerate(AML_FEATURE_NAMES)}
if len(AML_FEATURES) != COLUMNS:
    raise AssertionError(f"the catalogue has {len(AML_FEATURES)} features, the kernel {COLUMNS} columns")
