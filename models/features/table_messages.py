"""Day tables as messages: a JSON head, then ids and values as the bytes that they are in memory.

A table of ten thousand places is half a megabyte a day. As JSON, each id would be a string to make and to find the code
of, and each value a third longer.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np

from models.features.batch import Float32s, Int64s, UInt8s
from models.features.day_table import DayTable, PlaceRows, no_rows
from models.features.id_text import IdText, joined
from models.features.kernel.hashing import MIX_1, MIX_2, SHIFT
from models.features.place_kinds import KIND_OF, KINDS
from streams.errors import BadInputError
from streams.kernels.compiled import compiled
from streams.kernels.memory import PADDING, WORD_BYTES, address_of, word_at
from streams.labels import NS_PER_DAY

MAGIC = b"DAYTABLE"
FORMAT: Literal[3] = 3
"""Format of the messages; a reader refuses any other."""
LENGTH_BYTES = 4
MESSAGE_HEAD_BYTES = 256
MESSAGE_BYTES_MIN = 1_024
MESSAGE_BYTES_MAX = 512_000
DAY_MAX = (2**63 - 1) // NS_PER_DAY
"""No event time in ns that 64 bits hold lies on a later day; a day beyond has no place among the tables held."""
INT32_MAX = 2**31 - 1
DAYS_AWAITED_MAX = 16
"""Incomplete tables an assembler keeps; of more, the oldest is given up."""


class DayTableError(BadInputError):
    """A message that is no part of a day table."""


class Head(msgspec.Struct, frozen=True):
    """What a message says of itself: part `part` of `parts`; `digest` tells apart two tables published for one day.

    Behind the head stand, of `rows` places of a kind, the values (little-endian float32 [rows, width]), the length of
    each id (little-endian, `LENGTH_BYTES`), the ids in UTF-8 (`id_bytes` in all) and a word of zeros.
    """

    format: Literal[3]
    day: Annotated[int, msgspec.Meta(ge=-DAY_MAX, le=DAY_MAX)]
    digest: str
    part: Annotated[int, msgspec.Meta(ge=0, le=INT32_MAX)]
    parts: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    kind: str
    rows: Annotated[int, msgspec.Meta(ge=0, le=INT32_MAX)]
    id_bytes: Annotated[int, msgspec.Meta(ge=0, le=INT32_MAX)]


class DayTablePart(NamedTuple):
    """One message of a day table."""

    head: Head
    rows: PlaceRows

    @property
    def key(self) -> str:
        """Key of the message: unique to the table's part, so that a compacted topic keeps every part."""
        return f"{self.head.day}/{self.head.part}"


_decoder = msgspec.json.Decoder(Head)


def to_messages(table: DayTable, max_bytes: int = MESSAGE_BYTES_MAX) -> list[bytes]:
    """A table as messages of at most `max_bytes` bytes, for the topic of day tables; a single row may take more."""
    if max_bytes < MESSAGE_BYTES_MIN:
        raise DayTableError(f"max_bytes is {max_bytes}; a part of a day table needs at least {MESSAGE_BYTES_MIN}")
    parts: list[tuple[str, int, IdText, bytes]] = []
    for name, rows in table.places.items():
        values = np.ascontiguousarray(rows.values, "<f4")
        for first, last in _portions(rows.names.lengths, KIND_OF[name].width, max_bytes - MESSAGE_HEAD_BYTES):
            names = rows.names if last - first == len(rows.names) else rows.names.part(first, last)
            content = values[first:last].tobytes() + names.lengths.astype("<u4").tobytes() + names.text
            parts.append((name, last - first, names, content))
    digest = _digest([content for *_, content in parts])
    messages = []
    for number, (name, count, names, content) in enumerate(parts):
        head = msgspec.json.encode(Head(FORMAT, table.day, digest, number, len(parts), name, count, names.size))
        head += b" " * (-len(head) % WORD_BYTES)
        messages.append(b"".join((MAGIC, len(head).to_bytes(WORD_BYTES, "little"), head, content)))
    return messages


def _portions(id_lengths: Int64s, width: int, room: int) -> Iterator[tuple[int, int]]:
    """First and last row (not included) of messages that fit; always at least one, so that an empty table is sent
    too."""
    behind = np.cumsum(id_lengths + (4 * width + LENGTH_BYTES))
    first, used = 0, 0
    while first < len(behind):
        last = max(int(np.searchsorted(behind, used + room, side="right")), first + 1)
        yield first, last
        first, used = last, int(behind[last - 1])
    if len(behind) == 0:
        yield 0, 0


def _digest(contents: Sequence[bytes]) -> str:
    found = 0
    for content in contents:
        found = int(content_hash(np.frombuffer(content, np.uint8), np.uint64(found)))
    return f"{found:016x}"


@compiled
def content_hash(content: UInt8s, before: np.uint64) -> np.uint64:
    """A hash of bytes that end with a word of zeros, and of what was hashed before."""
    address, value = address_of(content), (before ^ MIX_1) * MIX_2
    for at in range(0, len(content) - WORD_BYTES + 1, WORD_BYTES):
        value = (value ^ word_at(address, at)) * MIX_2
        value ^= value >> SHIFT
    return value


def decode_part(message: bytes) -> DayTablePart:
    """A part from its message; raises `DayTableError` when it is none or contradicts itself."""
    head, start = _head(message)
    told = f"day table {head.day}, part {head.part}"
    if head.kind not in KIND_OF:
        raise DayTableError(f"{told}: kind {head.kind!r} is none of {', '.join(KIND_OF)}")
    if head.part >= head.parts:
        raise DayTableError(f"day table {head.day}: part {head.part} of {head.parts} cannot be")
    width = KIND_OF[head.kind].width
    ids_at = start + head.rows * (4 * width + LENGTH_BYTES)
    needed = ids_at + head.id_bytes + len(PADDING)
    if len(message) != needed:
        raise DayTableError(
            f"{told}: {head.rows} rows and {head.id_bytes} bytes of ids need {needed} bytes, it has {len(message)}"
        )
    values = np.frombuffer(message, "<f4", head.rows * width, start).reshape(-1, width)
    lengths = np.frombuffer(message, "<u4", head.rows, ids_at - head.rows * LENGTH_BYTES)
    names = IdText(message[ids_at:], np.cumsum(lengths, dtype=np.int64))
    _check_ids(names, head.id_bytes, told)
    return DayTablePart(head, PlaceRows(names, values))


def _head(message: bytes) -> tuple[Head, int]:
    """The head of a message, and where its content begins."""
    begin = len(MAGIC) + WORD_BYTES
    start = begin + int.from_bytes(message[len(MAGIC) : begin], "little")
    try:
        if not message.startswith(MAGIC):
            raise msgspec.DecodeError(f"it does not begin with {MAGIC.decode()}")
        return _decoder.decode(message[begin:start]), start
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DayTableError(f"message is no part of a day table (format {FORMAT}): {error}") from error


def _check_ids(names: IdText, id_bytes: int, told: str) -> None:
    """The ids are as long as their lengths say, UTF-8 each, and followed by zeros."""
    if names.size != id_bytes or not names.text.endswith(PADDING):
        raise DayTableError(f"{told}: its ids are {names.size} bytes by their lengths, {id_bytes} by its head")
    if not names.text.isascii():
        try:
            names.strings()
        except UnicodeDecodeError as error:
            raise DayTableError(f"{told}: its ids are no UTF-8: {error}") from error


class DayTableAssembler:
    """Puts day tables together from their messages, in any order, repeated or mixed."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[int, DayTablePart]] = {}

    def add(self, message: bytes) -> DayTable | None:
        """Take one message; the table when it is now complete. A newer table of a day displaces an unfinished one.

        Raises `DayTableError` for a message that is no part of a day table.
        """
        part = decode_part(message)
        head = part.head
        held = self._parts.get(head.day, {})
        if any(other.head.digest != head.digest or other.head.parts != head.parts for other in held.values()):
            held = {}
        held[head.part] = part
        self._parts[head.day] = held
        if len(held) < head.parts:
            while len(self._parts) > DAYS_AWAITED_MAX:
                del self._parts[min(self._parts)]
            return None
        del self._parts[head.day]
        return _assembled(head.day, [held[number] for number in range(head.parts)])


def _assembled(day: int, parts: Sequence[DayTablePart]) -> DayTable:
    found: dict[str, PlaceRows] = {}
    for kind in KINDS:
        chosen = [part.rows for part in parts if part.head.kind == kind.name]
        if len(chosen) > 1:
            values: Float32s = np.concatenate([rows.values for rows in chosen])
            chosen = [PlaceRows(joined([rows.names for rows in chosen]), values)]
        found[kind.name] = chosen[0] if chosen else no_rows(kind.name)
    return DayTable(day, found)
