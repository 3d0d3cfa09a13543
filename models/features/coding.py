"""From transactions, as messages or as columns, to coded batches; both ways give the same features."""

from collections.abc import Iterable, Sequence
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
from models.features.event_hash import hash_ids
from models.features.interner import Interner, dictionary_of
from streams.errors import BadInputError
from streams.transaction import CardTransaction

ID_KINDS = ("card", "merchant", "terminal", "device", "country")


class EventCoder:
    """Codes ids, categories and positions; its interners grow with the stream."""

    __slots__ = ("_category", "_channel", "interners", "vocabulary")

    def __init__(self, vocabulary: Vocabulary, interners: dict[str, Interner] | None = None) -> None:
        self.vocabulary = vocabulary
        self.interners = interners if interners is not None else {kind: Interner() for kind in ID_KINDS}
        self._category = _places(vocabulary.category)
        self._channel = _places(vocabulary.channel)

    def code_events(self, events: Sequence[CardTransaction]) -> TransactionBatch:
        """Code transactions that came as messages, in their order."""
        intern = self.interners
        latitude_e6, longitude_e6 = _micro_degrees(
            np.array([event.latitude for event in events], np.float64),
            np.array([event.longitude for event in events], np.float64),
        )
        return TransactionBatch(
            event_hash=hash_ids(pa.array([event.event_id for event in events], pa.string())),
            time_ns=np.array([event.event_time_ns for event in events], np.int64),
            amount_minor=np.array([event.amount_minor for event in events], np.int64),
            card=intern["card"].encode([event.card_id for event in events]),
            merchant=intern["merchant"].encode([event.merchant_id for event in events]),
            terminal=intern["terminal"].encode([event.terminal_id for event in events]),
            device=intern["device"].encode([event.device_id for event in events]),
            country=intern["country"].encode([event.country for event in events]),
            category=_vocabulary_codes(self._category, [event.category for event in events]),
            channel=_vocabulary_codes(self._channel, [event.channel for event in events]),
            latitude_e6=latitude_e6,
            longitude_e6=longitude_e6,
            is_refund=np.array([event.is_refund is True for event in events], np.uint8),
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


def _vocabulary_codes(places: dict[str | None, float], words: Sequence[str | None]) -> Float32s:
    return np.array([places.get(word, UNKNOWN_CATEGORY) for word in words], np.float32)


def _vocabulary_column(places: dict[str | None, float], table: pa.Table, name: str) -> Float32s:
    if name not in table.column_names:
        return np.full(len(table), np.nan, np.float32)
    indices, dictionary = dictionary_of(table.column(name))
    found: Float32s = _vocabulary_codes(places, [*dictionary, None])[indices]
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
