"""Day tables as messages."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.day_table import (
    DAYS_AWAITED_MAX,
    DayTable,
    DayTableAssembler,
    DayTableError,
    DayTablePart,
    PlaceRows,
    Told,
    decode_part,
)
from models.features.place_kinds import KINDS


def table(day: int, terminals: int, merchants: int, seed: int = 0, devices: int = 2) -> DayTable:
    rng = np.random.default_rng(seed)
    places: dict[str, PlaceRows] = {}
    for kind, many in zip(KINDS, (terminals, merchants, devices), strict=True):
        values = rng.random((many, kind.width)).astype(np.float32)
        values[rng.random(values.shape) < 0.2] = np.nan
        places[kind.name] = PlaceRows(tuple(f'{kind.name} "é" {n}' for n in range(many)), values)
    return DayTable(day, places)


def assert_same(found: DayTable | None, expected: DayTable) -> None:
    assert found is not None
    assert (found.day, list(found.places)) == (expected.day, list(expected.places))
    for kind, rows in expected.places.items():
        assert found.places[kind].ids == rows.ids
        assert found.places[kind].values.tobytes() == rows.values.tobytes()


def test_what_is_written_has_the_fields_of_what_is_read() -> None:
    assert Told.__struct_fields__ == DayTablePart.__struct_fields__


@pytest.mark.parametrize(("terminals", "merchants"), [(0, 0), (1, 0), (0, 3), (500, 40)])
def test_a_table_comes_back_from_its_messages_in_any_order(terminals: int, merchants: int) -> None:
    sent = table(19_000, terminals, merchants)
    messages = sent.to_messages(max_bytes=2_000)
    assert max(map(len, messages)) <= 2_000
    shuffled = [messages[place] for place in np.random.default_rng(1).permutation(len(messages))]
    assembler = DayTableAssembler()
    found = [assembler.add(message) for message in [*shuffled[:-1], *shuffled[:-1]]]
    assert found == [None] * len(found)
    assert_same(assembler.add(shuffled[-1]), sent)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1_024, 9_000))
def test_no_message_is_longer_than_asked(terminals: int, merchants: int, max_bytes: int) -> None:
    sent = table(-5, terminals, merchants)
    messages = sent.to_messages(max_bytes)
    assert max(map(len, messages)) <= max_bytes
    assembler = DayTableAssembler()
    assert_same([assembler.add(message) for message in messages][-1], sent)


def test_tables_of_several_days_may_be_mixed() -> None:
    first, second = table(1, 300, 3, seed=1), table(2, 200, 3, seed=2)
    assembler = DayTableAssembler()
    mixed = zip(first.to_messages(2_000), second.to_messages(2_000), strict=False)
    found = [assembler.add(message) for pair in mixed for message in pair]
    rest = [assembler.add(message) for message in first.to_messages(2_000)[len(found) // 2 :]]
    complete = [one for one in [*found, *rest] if one is not None]
    assert_same(next(one for one in complete if one.day == 1), first)
    assert_same(next(one for one in complete if one.day == 2), second)


def test_parts_of_two_tables_of_one_day_are_never_joined() -> None:
    old, new = table(1, 300, 0, seed=1), table(1, 300, 0, seed=2)
    assembler = DayTableAssembler()
    for message in old.to_messages(2_000)[:-1]:
        assert assembler.add(message) is None
    found = [assembler.add(message) for message in new.to_messages(2_000)]
    assert found[:-1] == [None] * (len(found) - 1)
    assert_same(found[-1], new)


def test_keys_of_the_parts_differ() -> None:
    keys = [decode_part(message).key for day in (1, 2) for message in table(day, 300, 9).to_messages(2_000)]
    assert len(set(keys)) == len(keys) > 10


def test_unfinished_tables_are_bounded() -> None:
    assembler = DayTableAssembler()
    tables = [table(day, 100, 1).to_messages(2_000) for day in range(DAYS_AWAITED_MAX + 1)]
    for messages in tables:
        assembler.add(messages[0])
    assert [assembler.add(message) for message in tables[0][1:]][-1] is None
    assert [assembler.add(message) for message in tables[-1][1:]][-1] is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"part": 9}, "part 9 of 1 cannot be"),
        ({"values": "AAAA"}, "2 ids need 72 bytes"),
        ({"kind": "device"}, "2 ids need 24 bytes"),
        ({"kind": "planet"}, "kind 'planet' is none of terminal, merchant, device"),
        ({"format": 1}, r"no part of a day table \(format 2\)"),
        ({"parts": 0}, "no part of a day table"),
    ],
)
def test_a_message_that_is_no_part_is_refused(change: dict[str, object], reason: str) -> None:
    message = msgspec.json.decode(table(1, 2, 0).to_messages()[0])
    only_terminals = {**message, "parts": 1, "part": 0}
    with pytest.raises(DayTableError, match=reason):
        DayTableAssembler().add(msgspec.json.encode({**only_terminals, **change}))
    with pytest.raises(DayTableError, match="no part of a day table"):
        DayTableAssembler().add(b"\xff{")


def test_messages_too_small_to_hold_a_row_are_refused() -> None:
    with pytest.raises(DayTableError, match="max_bytes is 100"):
        table(1, 1, 1).to_messages(100)
