"""Day tables: what is known of every terminal, merchant and device across cards, closed once a business day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.features.batch import Float32s, Int64s
from models.features.id_text import IdText
from models.features.place_kinds import KIND_OF, KINDS
from streams.kernels.compiled import compiled


@dataclass(frozen=True, slots=True, eq=False)
class PlaceRows:
    """Rows of one kind of place: `values` float32 [m, width of the kind], a row for each id."""

    names: IdText
    values: Float32s

    @classmethod
    def of(cls, ids: Sequence[str], values: Float32s) -> "PlaceRows":
        """Rows by their ids as strings."""
        return cls(IdText.of(ids), values)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, made anew at each call."""
        return tuple(self.names.strings())


@dataclass(frozen=True, slots=True, eq=False)
class DayTable:
    """Table of business day `day`: `places` holds the rows of each kind (see `place_kinds` for the columns and
    `RiskLedger.close` for their meaning). Places of which nothing is known are left out."""

    day: int
    places: Mapping[str, PlaceRows]

    @classmethod
    def of(cls, day: int, places: Mapping[str, PlaceRows]) -> "DayTable":
        """A table; kinds that are not given have no rows."""
        return cls(day, {kind.name: places.get(kind.name, no_rows(kind.name)) for kind in KINDS})


def no_rows(kind: str) -> PlaceRows:
    """Rows of a kind of which nothing is known."""
    return PlaceRows.of((), np.zeros((0, KIND_OF[kind].width), np.float32))


def known_rows(columns: npt.NDArray[np.float64]) -> tuple[Int64s, Float32s]:
    """The places of which something is known, neither 0 nor NaN, among `columns` float64 [width, places]: their codes,
    int64 [m], and what a table says of them, float32 [m, width]."""
    width, places = columns.shape
    codes, rows = np.empty(places, np.int64), np.empty((places, width), np.float32)
    known = pick_known(columns, codes, rows)
    return codes[:known], rows[:known]


@compiled
def pick_known(columns: npt.NDArray[np.float64], codes: Int64s, rows: Float32s) -> int:
    """Fill in codes and rows of places of which something is known; how many they are."""
    known = 0
    for place in range(columns.shape[1]):
        told = False
        for column in range(columns.shape[0]):
            value = columns[column, place]
            rows[known, column] = value  # overwritten by the next place unless it counts
            told |= value != 0 and not np.isnan(value)
        codes[known] = place
        known += told
    return known
