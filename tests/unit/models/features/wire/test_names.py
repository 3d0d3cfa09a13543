"""Names found again by their bytes, however many there are and however little room there was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import UInt8s
from models.features.wire import names
from models.features.wire.names import (
    UNMET,
    NameTable,
    addresses_of,
    code_of,
    empty_names,
    learn,
    name_hash,
    with_more_room,
)
from streams.kernels.compiled import compiled
from streams.kernels.memory import PADDING, WORD_BYTES, address_of


@compiled
def found(text: UInt8s, kind: int, table: NameTable) -> int:
    return code_of(address_of(text), 0, len(text) - WORD_BYTES, kind, addresses_of(table))


def bytes_of(name: bytes) -> UInt8s:
    return np.frombuffer(name + PADDING, np.uint8)


def taken(table: NameTable, name: bytes, kind: int, code: int) -> NameTable:
    spans, codes = np.array([[0, len(name)]], np.int32), np.array([code], np.int32)
    kinds = np.array([kind], np.int32)
    while learn(bytes_of(name), spans, kinds, codes, table) == 0:
        table = with_more_room(table)
    return table


@given(st.lists(st.tuples(st.binary(max_size=3) | st.binary(max_size=30), st.integers(0, 2)), max_size=200))
def test_as_a_dictionary(keys: list[tuple[bytes, int]]) -> None:
    known: dict[tuple[bytes, int], int] = {}
    table = empty_names()
    for name, kind in keys:
        assert found(bytes_of(name), kind, table) == known.get((name, kind), UNMET)
        table = taken(table, name, kind, known.setdefault((name, kind), len(known)))
    assert [found(bytes_of(name), kind, table) for name, kind in known] == list(known.values())


def test_a_known_name_keeps_its_code() -> None:
    table = taken(taken(empty_names(), b"a", 0, 5), b"a", 0, 6)
    assert found(bytes_of(b"a"), 0, table) == 5


@compiled
def hashed(text: UInt8s) -> int:
    return np.int64(name_hash(address_of(text), 0, len(text) - WORD_BYTES, 0))  # type: ignore[return-value]


@pytest.mark.parametrize("shape", ["%016x", "T%07d", "card%012d", "c%09d", "%d"])
def test_names_numbered_in_sequence_are_spread_as_if_by_chance(shape: str) -> None:
    places = {hashed(bytes_of((shape % number).encode())) & 0xFFFF for number in range(20_000)}
    assert len(places) > 16_800  # by chance 17,236 of 65,536, give or take 60


@pytest.mark.parametrize("roomy", [True, False])
def test_many_names(roomy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not roomy:  # a system that sets no address space aside: the arrays grow by copying
        monkeypatch.setattr("models.features.room.ROOM_BYTES", 0)
    table = empty_names()
    for code in range(20_000):
        table = taken(table, f"card-{code}".encode(), code % 3, code)
    assert all(found(bytes_of(f"card-{code}".encode()), code % 3, table) == code for code in range(20_000))
    assert all(found(bytes_of(f"card-{code}".encode()), 3, table) == UNMET for code in range(100))
    assert table.used[names.ENTRIES_USED] == 20_000
