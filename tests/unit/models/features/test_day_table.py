"""Day tables as messages."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import Vocabulary
from models.features.day_table import DayTable, PlaceRows, known_rows
from models.features.place_kinds import KINDS
from models.features.state import FeatureState
from models.features.table_messages import (
    DAY_MAX,
    DAYS_AWAITED_MAX,
    MAGIC,
    DayTableAssembler,
    DayTableError,
    content_hash,
    decode_part,
    to_messages,
)


def table(day: int, terminals: int, merchants: int, seed: int = 0, devices: int = 2) -> DayTable:
    rng = np.random.default_rng(seed)
    places: dict[str, PlaceRows] = {}
    for kind, many in zip(KINDS, (terminals, merchants, devices), strict=True):
        values = rng.random((many, kind.width)).astype(np.float32)
        values[rng.random(values.shape) < 0.2] = np.nan
        places[kind.name] = PlaceRows.of([f'{kind.name} "é" {n}' for n in range(many)], values)
    return DayTable(day, places)


def assert_same(found: DayTable | None, expected: DayTable) -> None:
    assert found is not None
    assert (found.day, list(found.places)) == (expected.day, list(expected.places))
    for kind, rows in expected.places.items():
        assert found.places[kind].ids == rows.ids
        assert found.places[kind].values.tobytes() == rows.values.tobytes()


@pytest.mark.parametrize(("terminals", "merchants"), [(0, 0), (1, 0), (0, 3), (500, 40)])
def test_a_table_comes_back_from_its_messages_in_any_order(terminals: int, merchants: int) -> None:
    sent = table(19_000, terminals, merchants)
    messages = to_messages(sent, max_bytes=2_000)
    assert max(map(len, messages)) <= 2_000
    shuffled = [messages[place] for place in np.random.default_rng(1).permutation(len(messages))]
    assembler = DayTableAssembler()
    found = [assembler.add(message) for message in [*shuffled[:-1], *shuffled[:-1]]]
    assert found == [None] * len(found)
    assert_same(assembler.add(shuffled[-1]), sent)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1_024, 9_000))
def test_no_message_is_longer_than_asked(terminals: int, merchants: int, max_bytes: int) -> None:
    sent = table(-5, terminals, merchants)
    messages = to_messages(sent, max_bytes)
    assert max(map(len, messages)) <= max_bytes
    assembler = DayTableAssembler()
    assert_same([assembler.add(message) for message in messages][-1], sent)


def test_tables_of_several_days_may_be_mixed() -> None:
    first, second = table(1, 300, 3, seed=1), table(2, 200, 3, seed=2)
    assembler = DayTableAssembler()
    mixed = zip(to_messages(first, 2_000), to_messages(second, 2_000), strict=False)
    found = [assembler.add(message) for pair in mixed for message in pair]
    rest = [assembler.add(message) for message in to_messages(first, 2_000)[len(found) // 2 :]]
    complete = [one for one in [*found, *rest] if one is not None]
    assert_same(next(one for one in complete if one.day == 1), first)
    assert_same(next(one for one in complete if one.day == 2), second)


def test_parts_of_two_tables_of_one_day_are_never_joined() -> None:
    old, new = table(1, 300, 0, seed=1), table(1, 300, 0, seed=2)
    assembler = DayTableAssembler()
    for message in to_messages(old, 2_000)[:-1]:
        assert assembler.add(message) is None
    found = [assembler.add(message) for message in to_messages(new, 2_000)]
    assert found[:-1] == [None] * (len(found) - 1)
    assert_same(found[-1], new)


def test_keys_of_the_parts_differ() -> None:
    keys = [decode_part(message).key for day in (1, 2) for message in to_messages(table(day, 300, 9), 2_000)]
    assert len(set(keys)) == len(keys) > 10


def test_unfinished_tables_are_bounded() -> None:
    assembler = DayTableAssembler()
    tables = [to_messages(table(day, 100, 1), 2_000) for day in range(DAYS_AWAITED_MAX + 1)]
    for messages in tables:
        assembler.add(messages[0])
    assert [assembler.add(message) for message in tables[0][1:]][-1] is None
    assert [assembler.add(message) for message in tables[-1][1:]][-1] is not None


def parts_of(message: bytes) -> tuple[dict[str, object], bytes]:
    """A message's head and its content."""
    begin = len(MAGIC) + 8
    start = begin + int.from_bytes(message[len(MAGIC) : begin], "little")
    return msgspec.json.decode(message[begin:start]), message[start:]


def message_of(head: object, content: bytes) -> bytes:
    told = msgspec.json.encode(head)
    return MAGIC + len(told).to_bytes(8, "little") + told + content


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"part": 9}, "part 9 of 1 cannot be"),
        ({"rows": 1}, "1 rows and 30 bytes of ids need"),
        ({"id_bytes": 29}, "2 rows and 29 bytes of ids need"),
        ({"kind": "device"}, "2 rows and 30 bytes of ids need"),
        ({"kind": "planet"}, "kind 'planet' is none of terminal, merchant, device"),
        ({"format": 2}, r"no part of a day table \(format 3\)"),
        ({"parts": 0}, "no part of a day table"),
        ({"rows": -1}, "no part of a day table"),
        ({"day": 2**63}, "no part of a day table"),
        ({"day": -(2**63)}, "no part of a day table"),
        ({"rows": 2**63}, "no part of a day table"),
    ],
)
def test_a_message_that_is_no_part_is_refused(change: dict[str, object], reason: str) -> None:
    head, content = parts_of(to_messages(table(1, 2, 0))[0])
    alone = {**head, "parts": 1, "part": 0}
    decode_part(message_of(alone, content))
    with pytest.raises(DayTableError, match=reason):
        DayTableAssembler().add(message_of({**alone, **change}, content))


@pytest.mark.parametrize("message", [b"", b"{}", b'{"format":2,"day":1}', MAGIC, MAGIC + b"\xff" * 8, b"\xff{"])
def test_what_is_no_message_of_ours_is_refused(message: bytes) -> None:
    with pytest.raises(DayTableError, match=r"no part of a day table \(format 3\)"):
        DayTableAssembler().add(message)


@pytest.mark.parametrize("key", ["day", "part", "rows", "id_bytes"])
def test_a_number_too_long_to_be_said_is_refused(key: str) -> None:
    head, content = parts_of(to_messages(table(1, 2, 0))[0])
    told = json.dumps({**head, key: 10**4_299}).encode()
    with pytest.raises(DayTableError, match=r"no part of a day table \(format 3\)"):
        decode_part(MAGIC + len(told).to_bytes(8, "little") + told + content)


@pytest.mark.parametrize("day", [-DAY_MAX, DAY_MAX])
def test_a_table_of_any_day_that_is_read_can_be_held(day: int) -> None:
    state = FeatureState.empty(Vocabulary((), ()))
    assembler = DayTableAssembler()
    *_, whole = [assembler.add(message) for message in to_messages(DayTable.of(day, {}))]
    assert whole is not None
    state.install(whole)
    assert state.table_days == [day]


def test_ids_that_are_none_are_refused() -> None:
    message = to_messages(table(1, 2, 0))[0]
    with pytest.raises(DayTableError, match="no UTF-8"):
        decode_part(message.replace("é".encode(), b"\xff\xff"))
    with pytest.raises(DayTableError, match="by their lengths, 30 by its head"):
        decode_part(message.replace((15).to_bytes(4, "little") * 2, (16).to_bytes(4, "little") * 2))
    with pytest.raises(DayTableError, match="need"):
        decode_part(message[:-1])


@given(st.binary(max_size=200), st.integers(0, 60), st.integers(0, 300))
def test_any_bytes_are_a_part_or_refused(new: bytes, at: int, gone: int) -> None:
    message = to_messages(table(1, 2, 0))[0]
    try:
        part = decode_part(message[:at] + new + message[at + gone :])
    except DayTableError:
        return
    assert len(part.rows.ids) == len(part.rows.values)


@given(st.lists(st.text(max_size=5), unique=True, max_size=30), st.integers(1_024, 1_200))
def test_ids_of_any_kind_come_back(ids: list[str], max_bytes: int) -> None:
    values = np.arange(len(ids) * KINDS[0].width, dtype=np.float32).reshape(-1, KINDS[0].width)
    sent = DayTable.of(7, {KINDS[0].name: PlaceRows.of(ids, values)})
    assembler = DayTableAssembler()
    found = [assembler.add(message) for message in to_messages(sent, max_bytes)][-1]
    assert_same(found, sent)


@given(st.binary(max_size=40), st.integers(0, 2**64 - 1))
def test_the_digest_is_of_all_bytes(content: bytes, before: int) -> None:
    def hashed(text: bytes, start: int) -> int:
        return int(content_hash(np.frombuffer(text + bytes(8), np.uint8), np.uint64(start)))

    found = hashed(content, before)
    assert found != hashed(content, before ^ 1)
    for at in range(len(content)):
        assert found != hashed(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :], before)


def test_messages_too_small_to_hold_a_row_are_refused() -> None:
    with pytest.raises(DayTableError, match="max_bytes is 100"):
        to_messages(table(1, 1, 1), 100)


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, -0.0, 1.0, 1 / 3, 1e30, np.nan]), min_size=3, max_size=3),
        min_size=0,
        max_size=20,
    )
)
def test_places_of_which_something_is_known_are_those_that_numpy_picks(places: list[list[float]]) -> None:
    columns = np.array(places, np.float64).reshape(-1, 3).T.copy()
    known = np.flatnonzero((~np.isnan(columns) & (columns != 0)).any(axis=0))
    codes, rows = known_rows(columns)
    assert codes.tolist() == known.tolist()
    assert rows.tobytes() == np.ascontiguousarray(columns[:, known].T, np.float32).tobytes()
