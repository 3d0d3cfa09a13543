"""Customers begin to pay in a country they did not pay in before."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from streams.drift.columns import UNKNOWN, coded, spelt
from streams.drift.donors import genuine
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material, Rows
from streams.topics import Domain
from streams.worlds.arrays import Flags, Floats, Ints

AROUND_DEGREES = 1.5
"""How far from the country's centre its merchants lie, a standard deviation."""
SENT = ("wire", "instant")


class NewRegion(EventDrift):
    """A `share` of the customers is affected, of whom all genuine events move to `country`. Purchases are made at
    `merchants` merchants of its own, around `latitude` and `longitude` where they had a place; transfers by wire go to
    accounts at its banks, of which nothing is known.
    """

    family: ClassVar[Family] = "covariate"
    by_owner: ClassVar[bool] = True
    genuine_only: ClassVar[bool] = True

    kind: Literal["new-region"]
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "PL"
    latitude: Annotated[float, Field(ge=-85, le=85)] = 52.0
    longitude: Annotated[float, Field(ge=-175, le=175)] = 19.2
    merchants: Annotated[int, Field(ge=1, le=100_000)] = 300

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        if domain == "aml":
            return ("to_country", "to_bank", "to_account", "received_minor", "received_currency")
        return ("country", "latitude", "longitude", "merchant_id", "terminal_id")

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream = material.stream
        which = self.affected(material, rng).which & genuine(material, stream)
        if material.domain == "fraud":
            moved = self._purchases(stream, which, rng)
        else:
            which &= self._sent(stream)
            moved = self._transfers(stream, which)
        return material.with_stream(moved.marked(which, material.place))

    def _purchases(self, stream: Rows, which: Flags, rng: np.random.Generator) -> Rows:
        shops = np.floor(self.merchants * rng.random(len(stream)) ** 2).astype(np.int64)  # few have most customers
        spread = rng.standard_normal((2, self.merchants)) * AROUND_DEGREES
        events = stream.events
        return stream.with_columns(
            country=_worded(events["country"], which, np.zeros(len(stream), np.int64), [self.country]),
            merchant_id=_worded(events["merchant_id"], which, shops, self._names("m")),
            terminal_id=_worded(events["terminal_id"], which, shops, self._names("k")),
            latitude=_placed(events["latitude"], which, self.latitude + spread[0][shops]),
            longitude=_placed(events["longitude"], which, self.longitude + spread[1][shops]),
        )

    def _names(self, letter: str) -> list[str]:
        return [f"{letter}-{self.country}-{number:05d}" for number in range(self.merchants)]

    def _sent(self, stream: Rows) -> Flags:
        codes, words = coded(stream.events["channel"])
        paid_out = np.asarray(stream.events["from_account"].is_valid().to_numpy(), np.bool_)
        return np.isin(codes, [words.index(word) for word in SENT if word in words]) & paid_out

    def _transfers(self, stream: Rows, which: Flags) -> Rows:
        events, one = stream.events, np.zeros(len(stream), np.int64)
        gone = pa.array(np.arange(len(stream)), mask=which)
        return stream.with_columns(
            to_country=_worded(events["to_country"], which, one, [self.country], even_missing=True),
            to_bank=_worded(events["to_bank"], which, one, [f"b-{self.country}"], even_missing=True),
            to_account=events["to_account"].take(gone),
            received_minor=events["received_minor"].take(gone),
            received_currency=events["received_currency"].take(gone),
        )


def _worded(column: Any, which: Flags, numbers: Ints, new: list[str], *, even_missing: bool = False) -> Any:
    """The column with the new words of these numbers in it; what was not known stays so, unless `even_missing`."""
    codes, words = coded(column)
    changed = which if even_missing else which & (codes != UNKNOWN)
    return spelt(np.where(changed, len(words) + numbers, codes), [*words, *new])


def _placed(column: Any, which: Flags, degrees: Floats) -> Any:
    there = np.asarray(column.is_valid().to_numpy(), np.bool_)
    known = np.asarray(column.fill_null(0.0).to_numpy(), np.float64)
    return pa.array(np.where(which, degrees, known), mask=~there)
