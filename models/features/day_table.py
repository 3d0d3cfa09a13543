"""Day tables: what is known of every terminal, merchant and device across cards, closed once a business day."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Literal

import msgspec
import numpy as np

from models.features.batch import Float32s
from models.features.place_kinds import KIND_OF, KINDS
from streams.errors import BadInputError

FORMAT: Literal[2] = 2
"""Format of the messages; a reader refuses any other."""
MESSAGE_HEAD_BYTES = 256
MESSAGE_BYTES_MIN = 1_024
MESSAGE_BYTES_MAX = 512_000
DAYS_AWAITED_MAX = 16
"""Incomplete tables an assembler keeps; of more, the oldest is given up."""


class DayTableError(BadInputError):
    """A message that is no part of a day table."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceRows:
    """Rows of one kind of place: `values` float32 [m, width of the kind], a row for each id."""

    ids: tuple[str, ...]
    values: Float32s


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

    def to_messages(self, max_bytes: int = MESSAGE_BYTES_MAX) -> list[bytes]:
        """The table as JSON messages of at most `max_bytes` bytes, for the topic of day tables."""
        if max_bytes < MESSAGE_BYTES_MIN:
            raise DayTableError(f"max_bytes is {max_bytes}; a part of a day table needs at least {MESSAGE_BYTES_MIN}")
        digest = hashlib.blake2b(digest_size=8)
        parts: list[tuple[str, msgspec.Raw, bytes]] = []
        for name, rows in self.places.items():
            ids, values = msgspec.json.encode(rows.ids), rows.values.astype("<f4").tobytes()
            row_bytes = 4 * KIND_OF[name].width
            digest.update(ids)
            digest.update(values)
            for portion in _portions(rows.ids, len(ids), KIND_OF[name].width, max_bytes - MESSAGE_HEAD_BYTES):
                whole = portion.stop - portion.start == len(rows.ids)
                told = ids if whole else msgspec.json.encode(rows.ids[portion])
                parts.append((name, msgspec.Raw(told), values[portion.start * row_bytes : portion.stop * row_bytes]))
        return [
            msgspec.json.encode(Told(FORMAT, self.day, digest.hexdigest(), number, len(parts), *part))
            for number, part in enumerate(parts)
        ]


class DayTablePart(msgspec.Struct, frozen=True):
    """One message of a day table: part `part` of `parts`; `digest` tells apart two tables published for one day."""

    format: Literal[2]
    day: int
    digest: str
    part: Annotated[int, msgspec.Meta(ge=0)]
    parts: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    kind: str
    ids: tuple[str, ...]
    values: bytes

    @property
    def key(self) -> str:
        """Key of the message: unique to the table's part, so that a compacted topic keeps every part."""
        return f"{self.day}/{self.part}"


class Told(msgspec.Struct, frozen=True):
    """A `DayTablePart` whose ids are JSON already."""

    format: Literal[2]
    day: int
    digest: str
    part: int
    parts: int
    kind: str
    ids: msgspec.Raw
    values: bytes


_decoder = msgspec.json.Decoder(DayTablePart)


def no_rows(kind: str) -> PlaceRows:
    """Rows of a kind of which nothing is known."""
    return PlaceRows((), np.zeros((0, KIND_OF[kind].width), np.float32))


def _portions(ids: tuple[str, ...], ids_bytes: int, width: int, room: int) -> Iterator[slice]:
    """Slices of rows whose messages fit; always at least one, so that an empty table is sent too. All `ids` are
    `ids_bytes` of JSON."""
    row_text = (4 * width + 2) // 3 * 4  # in base64
    if ids_bytes + len(ids) * row_text <= room:
        yield slice(0, len(ids))
        return
    start, used = 0, 0
    for row, place_id in enumerate(ids):
        size = len(msgspec.json.encode(place_id)) + 1 + row_text
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
        raise DayTableError(f"message is no part of a day table (format {FORMAT}): {error}") from error
    if part.kind not in KIND_OF:
        raise DayTableError(
            f"day table {part.day}, part {part.part}: kind {part.kind!r} is none of {', '.join(KIND_OF)}"
        )
    if part.part >= part.parts:
        raise DayTableError(f"day table {part.day}: part {part.part} of {part.parts} cannot be")
    needed = len(part.ids) * 4 * KIND_OF[part.kind].width
    if len(part.values) != needed:
        raise DayTableError(
            f"day table {part.day}, part {part.part}: {len(part.ids)} ids need {needed} bytes of"
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
    found: dict[str, PlaceRows] = {}
    for kind in KINDS:
        chosen = [part for part in parts if part.kind == kind.name]
        ids = tuple(chain.from_iterable(part.ids for part in chosen))
        content = b"".join(part.values for part in chosen)
        found[kind.name] = PlaceRows(
            ids, np.frombuffer(content, "<f4").astype(np.float32).reshape(len(ids), kind.width)
        )
    return DayTable(day, found)
