"""Codes of ids by their bytes, for a kernel: a hash table that grows a little at a time.

The codes are an interner's; here they are found again without making a string. Bytes are compared, not hashes alone.
"""

from typing import Any, NamedTuple

import numpy as np

from models.features.batch import Int32s, Int64s, UInt8s
from models.features.kernel.hashing import MIX_1, MIX_2, SHIFT
from models.features.room import longer, roomy
from streams.kernels.compiled import compiled, inlined
from streams.kernels.memory import WORD_BYTES, address_of, byte_at, number_at, word_at
from streams.kernels.words import first_bytes, same_text

UNMET = -2
"""Of an id whose code is not known here; -1 is no id."""
PART_BITS, PARTS = 8, 256
"""Parts of the table, by the first bits of the hash: each grows by itself, so that none stops the stream."""
FIRST_SLOTS = 16
START, MASK, USED, PART_FIELDS = 0, 1, 2, 3
WHAT, CODE, FIRST_WORD, SECOND_WORD, ENTRY_FIELDS = 0, 1, 2, 3, 4
"""Of a name: kind and length; its code; its bytes where two words hold them, else the first is where its text begins. A
short name is compared without going where the text is."""
SHORT_BYTES = 2 * WORD_BYTES
LENGTH_BITS = 16
ENTRIES_USED, TEXT_USED, SLOTS_USED = 0, 1, 2
TAG_BITS = 32
LOWER_HALF = (1 << TAG_BITS) - 1
_TAG = np.uint64(LOWER_HALF)
_HALF = np.uint64(32)
_PART_SHIFT = np.uint64(64 - PART_BITS)


class NameTable(NamedTuple):
    """`slots` int64 [S]: the hash's last bits above, the entry's number and one below; 0 is free. `parts` and `entries`
    int64 [n, fields], `text` uint8: the bytes of all longer names and a word behind, `used` int64 [3]: how much of
    entries, text and slots is taken."""

    slots: Int64s
    parts: Int64s
    entries: Int64s
    text: UInt8s
    used: Int64s


class Addresses(NamedTuple):
    """Where the arrays of a table begin: a kernel that is handed arrays counts references to them, again and again."""

    slots: int
    parts: int
    entries: int
    text: int


def empty_names() -> NameTable:
    """A table without names."""
    parts = np.zeros((PARTS, PART_FIELDS), np.int64)
    parts[:, START] = np.arange(PARTS) * FIRST_SLOTS
    parts[:, MASK] = FIRST_SLOTS - 1
    used = np.array([0, 0, PARTS * FIRST_SLOTS], np.int64)
    return NameTable(
        slots=roomy(2 * PARTS * FIRST_SLOTS, 1, np.int64).reshape(-1),
        parts=parts,
        entries=roomy(1_024, ENTRY_FIELDS, np.int64),
        text=roomy(32_768, 1, np.uint8).reshape(-1),
        used=used,
    )


def with_more_room(table: NameTable) -> NameTable:
    """The table with at least twice the room."""
    slots, text = table.slots.reshape(-1, 1), table.text.reshape(-1, 1)
    return table._replace(
        slots=longer(slots, 2 * len(slots)).reshape(-1),
        entries=longer(table.entries, 2 * len(table.entries)),
        text=longer(text, 2 * len(text)).reshape(-1),
    )


@inlined
def name_hash(text: int, start: int, end: int, kind: int) -> np.uint64:
    """A hash of a name of a kind, for this table alone: a word at a time."""
    value = MIX_1 ^ np.uint64(kind + 1)
    while end - start > WORD_BYTES:
        value = (value ^ word_at(text, start)) * MIX_2
        value ^= value >> SHIFT
        start += WORD_BYTES
    if end > start:
        value = (value ^ first_bytes(word_at(text, start), end - start)) * MIX_2
        value ^= value >> SHIFT
    value *= MIX_1
    return value ^ (value >> _HALF)


@inlined
def addresses_of(table: NameTable) -> Addresses:
    """Where the table's arrays begin."""
    return Addresses(
        address_of(table.slots),
        address_of(table.parts),
        address_of(table.entries),
        address_of(table.text),
    )


@inlined
def cell(address: int, row: int, width: int, field: int) -> int:
    """A number of an int64 array [n, width] that begins at this address."""
    return number_at(address, 8 * (row * width + field))  # type: ignore[no-any-return]


@inlined
def code_of(text: int, start: int, end: int, kind: int, names: Addresses) -> int:
    """The code of the name that stands at address `text` from `start` to `end`; UNMET when the table does not know
    it."""
    hashed = name_hash(text, start, end, kind)
    tag = np.int64(hashed & _TAG)
    part: Any = np.int64(hashed >> _PART_SHIFT)
    first, mask = cell(names.parts, part, PART_FIELDS, START), cell(names.parts, part, PART_FIELDS, MASK)
    length = end - start
    wanted = kind << LENGTH_BITS | length
    place = tag & mask
    while True:
        slot = number_at(names.slots, 8 * (first + place))
        if slot == 0:
            return UNMET
        if (slot >> TAG_BITS) & LOWER_HALF == tag:
            entry = (slot & LOWER_HALF) - 1
            if cell(names.entries, entry, ENTRY_FIELDS, WHAT) == wanted:
                first_word = cell(names.entries, entry, ENTRY_FIELDS, FIRST_WORD)
                if length > SHORT_BYTES:
                    same = same_text(text, start, end, names.text, first_word)
                else:
                    second_word = cell(names.entries, entry, ENTRY_FIELDS, SECOND_WORD)
                    same = first_word == front_word(text, start, end) and second_word == front_word(
                        text, start + WORD_BYTES, end
                    )
                if same:
                    return cell(names.entries, entry, ENTRY_FIELDS, CODE)
        place = (place + 1) & mask


@inlined
def front_word(text: int, start: int, end: int) -> int:
    """The first word of a text, zeros where it ends before; 0 of none."""
    if end <= start:
        return 0
    return np.int64(first_bytes(word_at(text, start), min(end - start, WORD_BYTES)))  # type: ignore[return-value]


@inlined
def put_in(slots: Int64s, first: int, mask: int, slot: int) -> None:
    """Put a slot's content in the next free place from its own on."""
    place = (slot >> TAG_BITS) & mask
    while slots[first + place] != 0:
        place = (place + 1) & mask
    slots[first + place] = slot


@compiled
def learn(text: UInt8s, spans: Int32s, kinds: Int32s, codes: Int32s, table: NameTable) -> int:
    """Take names with their kinds and codes: they stand in `text`, with a word behind the last of them, from begin to
    end, `spans` int32 [n, 2]. One that is known already stays as it is. Returns how many are done: fewer than there are
    when there is no room for the next."""
    address = address_of(text)
    for row in range(len(codes)):
        if not put_name(address, spans[row, 0], spans[row, 1], int(kinds[row]), int(codes[row]), table):
            return row
    return len(codes)


@inlined
def put_name(text: int, start: int, end: int, kind: int, code: int, table: NameTable) -> bool:
    """See `learn`; the name stands at address `text` from `start` to `end`. One that is too long for this table is left
    out."""
    if end - start >= 1 << LENGTH_BITS:
        return True
    slots, parts, used = table.slots, table.parts, table.used
    if code_of(text, start, end, kind, addresses_of(table)) != UNMET:
        return True
    hashed, length = name_hash(text, start, end, kind), end - start
    part = np.int64(hashed >> _PART_SHIFT)
    room = parts[part, MASK] + 1
    grows = 4 * (parts[part, USED] + 1) > 3 * room
    if (
        used[ENTRIES_USED] == len(table.entries)
        or used[TEXT_USED] + length + WORD_BYTES > len(table.text)
        or (grows and used[SLOTS_USED] + 2 * room > len(slots))
    ):
        return False
    if grows:
        old, parts[part, START], parts[part, MASK] = parts[part, START], used[SLOTS_USED], 2 * room - 1
        used[SLOTS_USED] += 2 * room
        for place in range(old, old + room):
            if slots[place] != 0:
                put_in(slots, parts[part, START], parts[part, MASK], slots[place])
    entry, at = used[ENTRIES_USED], used[TEXT_USED]
    table.entries[entry, WHAT] = kind << LENGTH_BITS | length
    table.entries[entry, CODE] = code
    if length > SHORT_BYTES:
        table.entries[entry, FIRST_WORD] = at
        for place in range(length):
            table.text[at + place] = byte_at(text, start + place)
        used[TEXT_USED] += length
    else:
        table.entries[entry, FIRST_WORD] = front_word(text, start, end)
        table.entries[entry, SECOND_WORD] = front_word(text, start + WORD_BYTES, end)
    used[ENTRIES_USED] += 1
    tag = np.int64(hashed & _TAG)
    put_in(slots, parts[part, START], parts[part, MASK], tag << TAG_BITS | (entry + 1))
    parts[part, USED] += 1
    return True
