"""The kinds of place whose day tables cross cards, and the columns each kind has."""

import math
from dataclasses import dataclass

import numpy as np

from models.features.batch import Float32s
from streams.causes import Cause

RISK_WINDOWS_DAYS = (1, 7, 30)
NETWORK_DAYS_MAX = 30
NETWORK_LAG_DAYS = 1
"""Table b counts visitors up to business day b − 1: an event may come a day late, and must be in the same tables
whichever worker, engine or micro-batch it came through."""


@dataclass(frozen=True, slots=True)
class PlaceColumn:
    """One column of a kind's table: the value of a place the table does not name, and the feature it becomes."""

    name: str
    absent: float
    unit: str
    high: float
    phrase: str
    family: Cause


@dataclass(frozen=True, slots=True)
class PlaceKind:
    """A kind of place: the event's field is `<name>_id`, its features are `<name>_<column>`."""

    name: str
    columns: tuple[PlaceColumn, ...]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @property
    def absent(self) -> Float32s:
        """The row of a place that a table does not name, float32 [width]."""
        return np.array([column.absent for column in self.columns], np.float32)


def _span(days: int) -> str:
    return "one day" if days == 1 else f"{days} days"


def _risk(kind: str) -> tuple[PlaceColumn, ...]:
    counts = [
        PlaceColumn(
            f"count_{days}d",
            0.0,
            "transactions",
            1e9,
            f"{{value}} at this {kind} in {_span(days)} (before the label delay)",
            "risk",
        )
        for days in RISK_WINDOWS_DAYS
    ]
    shares = [
        PlaceColumn(
            f"risk_{days}d",
            math.nan,
            "share",
            1.0,
            f"{{value}} of the transactions at this {kind} in {_span(days)} were fraud",
            "risk",
        )
        for days in RISK_WINDOWS_DAYS
    ]
    recent = PlaceColumn(
        "risk_recent",
        math.nan,
        "share",
        1.0,
        f"{{value}} of the transactions at this {kind} were fraud of late (halved every 7 days)",
        "risk",
    )
    genuine = PlaceColumn(
        "genuine_since_fraud",
        math.nan,
        "transactions",
        1e9,
        f"{{value}} since the last known fraud at this {kind}",
        "risk",
    )
    first = PlaceColumn(
        "days_since_first_fraud", math.nan, "days", 10_000.0, f"first known fraud at this {kind} {{value}} ago", "risk"
    )
    return (*counts, *shares, recent, genuine, first)


def _cards(kind: str, preposition: str, days: int) -> PlaceColumn:
    return PlaceColumn(
        f"cards_{days}d", 0.0, "cards", 1e9, f"{{value}} {preposition} this {kind} in {_span(days)}", "network"
    )


TERMINAL = PlaceKind("terminal", _risk("terminal"))
MERCHANT = PlaceKind(
    "merchant",
    (
        *_risk("merchant"),
        _cards("merchant", "at", 1),
        _cards("merchant", "at", 7),
        PlaceColumn(
            "cards_growth", math.nan, "times", 30.0, "cards at this merchant are {value} its 30-day mean", "network"
        ),
        PlaceColumn(
            "compromised_share_30d",
            math.nan,
            "share",
            1.0,
            "{value} of the cards at this merchant in 30 days had a fraud reported later, here or elsewhere",
            "network",
        ),
    ),
)
DEVICE = PlaceKind(
    "device",
    (
        _cards("device", "on", 7),
        _cards("device", "on", 30),
        PlaceColumn("frauds_30d", 0.0, "frauds", 1e9, "{value} reported on this device in 30 days", "risk"),
    ),
)
KINDS: tuple[PlaceKind, ...] = (TERMINAL, MERCHANT, DEVICE)
"""In the order of their features and of a table's parts."""
KIND_OF: dict[str, PlaceKind] = {kind.name: kind for kind in KINDS}
