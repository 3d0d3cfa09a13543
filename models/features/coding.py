"""From transactions, as messages or as columns, to coded batches; both ways give the same features."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.features.batch import (
    MISSING_E6,
    UNKNOWN_CATEGORY,
    Float32s,
    Int32s,
    Int64s,
    TransactionBatch,
    UInt8s,
    Vocabulary,
)
from models.features.event_hash import hash_ids, hash_texts
from models.features.interner import Interner, dictionary_of
from models.features.wire.layout import INTERNED_KINDS
from models.features.wire.reader import WireReader
from streams.errors import BadInputError
from streams.transaction import CardTransaction

ID_KINDS = INTERNED_KINDS
FEW = 16
"""Up to so many events numpy's calls cost more than a loop."""
_NOWHERE = (MISSING_E6, MISSING_E6)
_CODED_FIELDS = attrgetter(
    "event_id", "event_time_ns", "amount_minor", "card_id", "merchant_id", "terminal_id", "device_id", "country",
    "category", "channel", "latitude", "longitude", "is_refund",
)  # fmt: skip


class EventCoder:
    """Codes ids, categories and positions; its interners grow with the stream."""

    __slots__ = ("_category", "_channel", "_reader", "interners", "vocabulary")

    def __init__(self, vocabulary: Vocabulary, interners: dict[str, Interner] | None = None) -> None:
        self.vocabulary = vocabulary
        self.interners = interners if interners is not None else {kind: Interner() for kind in ID_KINDS}
        self._category = _places(vocabulary.category)
        self._channel = _places(vocabulary.channel)
        self._reader: WireReader | None = None

    def make_ready(self) -> None:
        """Make the reader now."""
        self._reader = self.reader

    @property
    def reader(self) -> WireReader:
        """Reads messages without an object for each; made when it is first asked for."""
        if self._reader is None:
            self._reader = WireReader(self.interners, self.vocabulary)
        return self._reader

    def code_events(self, events: Sequence[CardTransaction]) -> TransactionBatch:
        """Code transactions that came as messages, in their order."""
        (
            ids, times, amounts, cards, merchants, terminals, devices, countries,
            categories, channels, latitudes, longitudes, refunds,
        ) = _fields_of(events)  # fmt: skip
        intern = self.interners
        time_ns, amount_minor = _rows((times, amounts), np.int64)
        card, merchant, terminal, device, country = _rows(
            (
                intern["card"].codes(cards),
                intern["merchant"].codes(merchants),
                intern["terminal"].codes(terminals),
                intern["device"].codes(devices),
                intern["country"].codes(countries),
            ),
            np.int32,
        )
        category, channel = _rows(
            (_places_in(self._category, categories), _places_in(self._channel, channels)), np.float32
        )
        latitude_e6, longitude_e6 = _positions(latitudes, longitudes)
        return TransactionBatch(
            event_hash=hash_texts([each.encode() for each in ids]),
            time_ns=time_ns,
            amount_minor=amount_minor,
            card=card,
            merchant=merchant,
            terminal=terminal,
            device=device,
            country=country,
            category=category,
            channel=channel,
            latitude_e6=latitude_e6,
            longitude_e6=longitude_e6,
            is_refund=np.array([refund is True for refund in refunds], np.uint8),
        )

    def code_table(self, table: pa.Table) -> TransactionBatch:
        """Code transactions that came as columns (`TRANSACTION_SCHEMA`; a column that is not there is null).

        Raises `BadInputError`, naming column and row, for a null in event_id, event_time_ns, card_id or amount_minor
        and for a position off the globe.
        """
        latitude_e6, longitude_e6 = _micro_degrees(_floats(table, "latitude"), _floats(table, "longitude"))
        return TransactionBatch(
            event_hash=hash_ids(required_column(table, "event_id")),
            time_ns=_integers(table, "event_time_ns"),
            amount_minor=_integers(table, "amount_minor"),
            card=self.interners["card"].encode_column(required_column(table, "card_id")),
            merchant=encode_optional(self.interners["merchant"], table, "merchant_id"),
            terminal=encode_optional(self.interners["terminal"], table, "terminal_id"),
            device=encode_optional(self.interners["device"], table, "device_id"),
            country=encode_optional(self.interners["country"], table, "country"),
            category=_vocabulary_column(self._category, table, "category"),
            channel=_vocabulary_column(self._channel, table, "channel"),
            latitude_e6=latitude_e6,
            longitude_e6=longitude_e6,
            is_refund=_flags(table, "is_refund"),
        )


def required_column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column without nulls; raises `BadInputError` naming the row of the first null."""
    if name not in table.column_names:
        raise BadInputError(f"transactions have no column {name}; they have {', '.join(table.column_names)}")
    column = table.column(name)
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise BadInputError(f"transactions, row {row}: {name} is null ({column.null_count} rows are); it is required")
    return column


def encode_optional(interner: Interner, table: pa.Table, name: str) -> Int32s:
    """Codes of an id column; all null when the table has no such column."""
    if name not in table.column_names:
        return np.full(len(table), -1, np.int32)
    return interner.encode_column(table.column(name))


def _places(words: Iterable[str]) -> dict[str | None, float]:
    places: dict[str | None, float] = {word: float(place) for place, word in enumerate(words)}
    places[None] = float("nan")
    return places


def _fields_of(events: Sequence[CardTransaction]) -> Sequence[tuple[Any, ...]]:
    """The events' fields that are coded, field by field."""
    return tuple(zip(*map(_CODED_FIELDS, events), strict=True)) or ((),) * 13


def _rows(columns: tuple[Sequence[Any], ...], dtype: type[Any]) -> Iterable[Any]:
    """Columns of one type as contiguous arrays. For the one event that a micro-batch mostly is, making an array costs
    more than what is in it: so it is made once for all of them."""
    return np.array(columns, dtype)


def _places_in(places: dict[str | None, float], words: Sequence[str | None]) -> list[float]:
    return [places.get(word, UNKNOWN_CATEGORY) for word in words]


def _vocabulary_column(places: dict[str | None, float], table: pa.Table, name: str) -> Float32s:
    if name not in table.column_names:
        return np.full(len(table), np.nan, np.float32)
    indices, dictionary = dictionary_of(table.column(name))
    found: Float32s = np.array(_places_in(places, [*dictionary, None]), np.float32)[indices]
    return found


def _integers(table: pa.Table, name: str) -> Int64s:
    column = required_column(table, name).cast(pa.int64())
    found: Int64s = column.to_numpy().copy()
    return found


def _floats(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    found: npt.NDArray[np.float64] = table.column(name).cast(pa.float64()).to_numpy()  # nulls become NaN
    return found


def _flags(table: pa.Table, name: str) -> UInt8s:
    """1 where a column is true; null, false and a column that is not there are 0."""
    if name not in table.column_names:
        return np.zeros(len(table), np.uint8)
    found: UInt8s = table.column(name).cast(pa.bool_()).fill_null(False).to_numpy().astype(np.uint8)
    return found


def _positions(latitudes: Sequence[float | None], longitudes: Sequence[float | None]) -> tuple[Int32s, Int32s]:
    """As `_micro_degrees`, of what came as messages; of a few, one by one."""
    if len(latitudes) <= FEW:
        found = [_position(*degrees) for degrees in zip(latitudes, longitudes, strict=True)]
        if None not in found:
            latitude_e6, longitude_e6 = np.array(found, np.int32).reshape(-1, 2).T.copy()
            return latitude_e6, longitude_e6
    return _micro_degrees(np.array(latitudes, np.float64), np.array(longitudes, np.float64))


def _position(latitude: float | None, longitude: float | None) -> tuple[int, int] | None:
    """A position in whole micro-degrees; None for what has to be looked at more closely."""
    if latitude is None or longitude is None:
        return _NOWHERE
    if -90 <= latitude <= 90 and -180 <= longitude <= 180:
        return round(latitude * 1e6), round(longitude * 1e6)
    return None


def _micro_degrees(latitude: npt.NDArray[np.float64], longitude: npt.NDArray[np.float64]) -> tuple[Int32s, Int32s]:
    """Positions in whole micro-degrees; missing unless both coordinates are there."""
    off = (np.abs(latitude) > 90) | (np.abs(longitude) > 180)
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise BadInputError(
            f"transactions, row {row}: position {latitude[row]}, {longitude[row]} is off the globe"
            " (latitude -90..90, longitude -180..180)"
        )
    located = ~(np.isnan(latitude) | np.isnan(longitude))
    return _e6(latitude, located), _e6(longitude, located)


def _e6(degrees: npt.NDArray[np.float64], located: npt.NDArray[Any]) -> Int32s:
    return np.where(located, np.rint(np.where(located, degrees, 0.0) * 1e6), MISSING_E6).astype(np.int32)
