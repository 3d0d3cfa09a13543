"""Every kind of drift, one file each; the registry is the one place that lists them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from streams.drift.drift import Drift
from streams.drift.kinds.adapting_criminals import AdaptingCriminals
from streams.drift.kinds.amount_inflation import AmountInflation
from streams.drift.kinds.category_mix import CategoryMix
from streams.drift.kinds.category_recoded import CategoryRecoded
from streams.drift.kinds.cents_for_units import CentsForUnits
from streams.drift.kinds.clock_shifted import ClockShifted
from streams.drift.kinds.customer_growth import CustomerGrowth
from streams.drift.kinds.duplicate_feed import DuplicateFeed
from streams.drift.kinds.field_missing import FieldMissing
from streams.drift.kinds.fraud_share import FraudShare
from streams.drift.kinds.higher_load import HigherLoad
from streams.drift.kinds.holiday_surge import HolidaySurge
from streams.drift.kinds.new_channel import NewChannel
from streams.drift.kinds.new_region import NewRegion
from streams.drift.kinds.new_scenario import NewScenario
from streams.drift.kinds.new_typology import NewTypology
from streams.drift.kinds.payday import Payday
from streams.drift.kinds.threshold_moved import ThresholdMoved
from streams.drift.kinds.upstream_filter import UpstreamFilter

KINDS: Mapping[str, type[Drift]] = {
    "amount-inflation": AmountInflation,
    "category-mix": CategoryMix,
    "new-region": NewRegion,
    "new-channel": NewChannel,
    "fraud-share": FraudShare,
    "new-scenario": NewScenario,
    "new-typology": NewTypology,
    "adapting-criminals": AdaptingCriminals,
    "threshold-moved": ThresholdMoved,
    "cents-for-units": CentsForUnits,
    "field-missing": FieldMissing,
    "category-recoded": CategoryRecoded,
    "clock-shifted": ClockShifted,
    "duplicate-feed": DuplicateFeed,
    "upstream-filter": UpstreamFilter,
    "payday": Payday,
    "holiday-surge": HolidaySurge,
    "customer-growth": CustomerGrowth,
    "higher-load": HigherLoad,
}
"""Kinds by their name in scenario files."""

if TYPE_CHECKING:
    AnyDrift = Drift
else:
    AnyDrift = Annotated[Union[tuple(KINDS.values())], Field(discriminator="kind")]  # noqa: UP007 - made of the registry

__all__ = ["KINDS", "AnyDrift"]
