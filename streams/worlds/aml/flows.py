"""Kinds of regular payments: how they are made, when, how much they vary, and their seasons."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.aml.calendar import BATCH, DAY, OFFICE, SHOP
from streams.worlds.arrays import Floats

_EVEN = (1.0,) * 12
_SHOPPING = (0.95, 0.85, 0.95, 1.0, 0.95, 0.95, 1.0, 0.95, 0.95, 1.0, 1.15, 1.4)
_TRADE = (0.9, 0.95, 1.1, 1.0, 1.0, 1.1, 0.95, 0.8, 1.05, 1.05, 1.05, 1.1)
_HOLIDAYS = (0.8, 0.85, 0.95, 1.0, 1.0, 1.1, 1.25, 1.2, 0.95, 0.9, 0.9, 1.3)
_HEATING = (1.3, 1.3, 1.2, 1.0, 0.85, 0.75, 0.7, 0.7, 0.8, 1.0, 1.15, 1.25)


@dataclass(frozen=True, slots=True)
class Flow:
    """A kind of payment. `monthly` ones come once a month at about the same day, the others when they come. `sigma` is
    the spread of the log of amounts around the relation's own, `round_share` how many are round sums, `timing` the
    hours, `months` the season (factor on how often, on how much for monthly ones).
    """

    name: str
    monthly: bool
    sigma: float
    round_share: float
    timing: int
    months: tuple[float, ...] = _EVEN


FLOWS: tuple[Flow, ...] = (
    Flow("salary", True, 0.03, 0.05, BATCH),
    Flow("pension", True, 0.01, 0.05, BATCH),
    Flow("rent", True, 0.0, 0.5, BATCH),
    Flow("bill", True, 0.12, 0.05, BATCH, _HEATING),
    Flow("tax", True, 0.25, 0.1, OFFICE),
    Flow("card", False, 0.85, 0.25, SHOP, _SHOPPING),
    Flow("cash_out", False, 0.6, 0.95, SHOP, _SHOPPING),
    Flow("cash_in", False, 0.7, 0.7, SHOP),
    Flow("friends", False, 0.9, 0.55, DAY, _HOLIDAYS),
    Flow("allowance", True, 0.05, 0.8, BATCH),
    Flow("savings", False, 0.9, 0.8, DAY),
    Flow("remittance", True, 0.3, 0.6, DAY),
    Flow("supplier", False, 0.8, 0.18, OFFICE, _TRADE),
    Flow("client", False, 0.9, 0.18, OFFICE, _TRADE),
    Flow("takings", False, 0.45, 0.0, BATCH, _SHOPPING),
    Flow("cash_takings", False, 0.5, 0.45, SHOP, _SHOPPING),
    Flow("trade_abroad", False, 0.8, 0.2, OFFICE, _TRADE),
    Flow("virtual_asset", False, 0.9, 0.6, DAY),
    Flow("income", False, 0.6, 0.25, OFFICE),
    Flow("spending", False, 0.8, 0.25, OFFICE),
    Flow("purchase", False, 0.9, 0.3, DAY, _SHOPPING),
)
"""`income` and `spending` close the gap between what an account pays and what it gets."""
CODE: dict[str, int] = {flow.name: code for code, flow in enumerate(FLOWS)}


def column(field: str) -> Floats:
    """Return one number of every flow, by code: float64 [flows]."""
    return np.array([getattr(flow, field) for flow in FLOWS], np.float64)


SEASONS: Floats = np.array([flow.months for flow in FLOWS])
"""Float64 [flows, 12]."""
