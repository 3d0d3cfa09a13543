"""Day tables: counts and delayed fraud risk of every terminal and merchant, closed once a business day."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np

from models.features.batch import Float32s
from streams.errors import BadInputError

COLUMNS = 6
ROW_BYTES = COLUMNS * 4
ROW_TEXT = ROW_BYTES // 3 * 4
"""Characters of one row of values in base64."""
MESSAGE_HEAD_BYTES = 256
MESSAGE_BYTES_MIN = 1_024
MESSAGE_BYTES_MAX = 512_000
DAYS_AWAITED_MAX = 16
"""Incomplete tables an assembler keeps; of more, the oldest is given up."""

PlaceKind = Literal["terminal", "merchant"]


class DayTableError(BadInputError):
    """A message that is no part of a day table."""


@dataclass(frozen=True, slots=True, eq=False)
class DayTable:
    """Table of business day `day`: for each place its row float32 [6], count_1d, count_7d, count_30d, risk_1d, risk_7d,
    risk_30d (see `RiskLedger.close`). Places without a transaction in the 30 days are left out."""

    day: int
    terminal_ids: tuple[str, ...]
    terminal_values: Float32s
    merchant_ids: tuple[str, ...]
    merchant_values: Float32s

    def to_messages(self, max_bytes: int = MESSAGE_BYTES_MAX) -> list[bytes]:
        """The table as JSON messages of at most `max_bytes` bytes, for the topic of day tables."""
        if max_bytes < MESSAGE_BYTES_MIN:
            raise DayTableError(f"max_bytes is {max_bytes}; a part of a day table needs at least {MESSAGE_BYTES_MIN}")
        parts = [
            (kind, ids[rows], values[rows].astype("<f4").tobytes())
            for kind, ids, values in self._places()
            for rows in _portions(ids, max_bytes - MESSAGE_HEAD_BYTES)
        ]
        digest = self._digest()
        return [
            msgspec.json.encode(DayTablePart(self.day, digest, number, len(parts), kind, ids, content))
            for number, (kind, ids, content) in enumerate(parts)
        ]

    def _places(self) -> tuple[tuple[PlaceKind, tuple[str, ...], Float32s], ...]:
        return (
            ("terminal", self.terminal_ids, self.terminal_values),
            ("merchant", self.merchant_ids, self.merchant_values),
        )

    def _digest(self) -> str:
        digest = hashlib.blake2b(digest_size=8)
        for _, ids, values in self._places():
            digest.update(msgspec.json.encode(ids))
            digest.update(values.astype("<f4").tobytes())
        return digest.hexdigest()


class DayTablePart(msgspec.Struct, frozen=True):
    """One message of a day table: part `part` of `parts`; `digest` tells apart two tables published for one day."""

    day: int
    digest: str
    part: Annotated[int, msgspec.Meta(ge=0)]
    parts: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    kind: PlaceKind
    ids: tuple[str, ...]
    values: bytes

    @property
    def key(self) -> str:
        """Key of the message: unique to the table's part, so that a compacted topic keeps every part."""
        return f"{self.day}/{self.part}"


_decoder = msgspec.json.Decoder(DayTablePart)


def _portions(ids: tuple[str, ...], room: int) -> Iterator[slice]:
    """Slices of rows whose messages fit; always at least one, so that an empty table is sent too."""
    start, used = 0, 0
    for row, place_id in enumerate(ids):
        size = len(msgspec.json.encode(place_id)) + 1 + ROW_TEXT
        if used + size > room and row > start:
            yield slice(start, row)
            start, used = row, 0
        used += size
    yield slice(start, len(ids))


def decode_part(message: bytes) -> DayTablePart:
    """A part from its message; raises `DayTableError` when it is none or contradicts itself."""
    try:
        part = _decoder.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DayTableError(f"message is no part of a day table: {error}") from error
    if part.part >= part.parts:
        raise DayTableError(f"day table {part.day}: part {part.part} of {part.parts} cannot be")
    if len(part.values) != len(part.ids) * ROW_BYTES:
        raise DayTableError(
            f"day table {part.day}, part {part.part}: {len(part.ids)} ids need {len(part.ids) * ROW_BYTES} bytes of"
            f" values, it has {len(part.values)}"
        )
    return part


class DayTableAssembler:
    """Puts day tables together from their messages, in any order, repeated or mixed."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[int, DayTablePart]] = {}

    def add(self, message: bytes) -> DayTable | None:
        """Take one message; the table when it is now complete. A newer table of a day displaces an unfinished one.

        Raises `DayTableError` for a message that is no part of a day table.
        """
        part = decode_part(message)
        held = self._parts.get(part.day, {})
        if any(other.digest != part.digest or other.parts != part.parts for other in held.values()):
            held = {}
        held[part.part] = part
        self._parts[part.day] = held
        if len(held) < part.parts:
            while len(self._parts) > DAYS_AWAITED_MAX:
                del self._parts[min(self._parts)]
            return None
        del self._parts[part.day]
        return _assembled(part.day, [held[number] for number in range(part.parts)])


def _assembled(day: int, parts: list[DayTablePart]) -> DayTable:
    found: dict[PlaceKind, tuple[tuple[str, ...], Float32s]] = {}
    for kind in ("terminal", "merchant"):
        chosen = [part for part in parts if part.kind == kind]
        ids = tuple(place_id for part in chosen for place_id in part.ids)
        content = b"".join(part.values for part in chosen)
        found[kind] = ids, np.frombuffer(content, "<f4").astype(np.float32).reshape(len(ids), COLUMNS)
    return DayTable(day, *found["terminal"], *found["merchant"])
