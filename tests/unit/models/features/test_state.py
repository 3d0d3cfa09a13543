"""One state, however the stream reaches it: the same bits in any batches, as messages or columns, in partitions."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import FeatureBlock, Status, TransactionBatch
from models.features.catalog import FEATURE_INDEX, FEATURE_NAMES
from models.features.day_table import DayTable, PlaceRows
from models.features.held_tables import DAYS_KEPT, TABLES_MAX
from models.features.place_kinds import KINDS
from models.features.snapshot import SnapshotError
from models.features.state import FeatureState, warm_up
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.transaction import CardTransaction
from tests.unit.models.features.streams import (
    START_NS,
    VOCABULARY,
    StreamShape,
    as_table,
    joined,
    random_stream,
    same_bits,
)

FIRST_DAY = START_NS // NS_PER_DAY
TERMINAL = FEATURE_INDEX["terminal_count_1d"]


def day_table(day: int, terminal_ids: tuple[str, ...] = ("terminal1",), value: float = 1.0) -> DayTable:
    return DayTable.of(
        day,
        {
            kind.name: PlaceRows.of(ids, np.full((len(ids), kind.width), value + row, np.float32))
            for row, (kind, ids) in enumerate(zip(KINDS, (terminal_ids, ("merchant2",), ("device1",)), strict=True))
        },
    )


def fresh_state() -> FeatureState:
    state = FeatureState.empty(VOCABULARY)
    for day in range(FIRST_DAY + 60, FIRST_DAY + 66):
        state.install(day_table(day, ("terminal1", "terminal5", "terminal9"), float(day)))
    return state


def in_batches(events: list[CardTransaction], size: int) -> FeatureBlock:
    state = fresh_state()
    parts = [events[start : start + size] for start in range(0, len(events), size)]
    return joined([state.compute(state.code_events(part)) for part in parts])


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("size", [1, 2, 7, 256])
def test_batches_of_any_size_give_the_same_bits(seed: int, size: int) -> None:
    events = random_stream(seed, StreamShape(events=700))
    assert same_bits(in_batches(events, size), in_batches(events, len(events)))


@given(st.lists(st.integers(1, 90), max_size=12), st.integers(0, 5))
def test_any_split_gives_the_same_bits(sizes: list[int], seed: int) -> None:
    events = random_stream(seed, StreamShape(events=300))
    cuts = np.minimum(np.cumsum([0, *sizes, len(events)]), len(events)).tolist()
    state = fresh_state()
    parts = [state.compute(state.code_events(events[a:b])) for a, b in itertools.pairwise(cuts)]
    assert same_bits(joined(parts), in_batches(events, len(events)))


def plain_strings(table: pa.Table) -> pa.Table:
    columns = [column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def test_messages_and_columns_give_the_same_bits() -> None:
    events = random_stream(4)
    table = as_table(events)
    chunks = pa.concat_tables([as_table(events[:150]), as_table(events[150:151]), as_table(events[151:])])
    expected = in_batches(events, len(events))
    for form in (table, chunks, plain_strings(table), pa.concat_tables([chunks.slice(0, 99), chunks.slice(99)])):
        state = fresh_state()
        assert same_bits(state.compute(state.code_table(form)), expected)


def test_an_absent_column_is_all_null() -> None:
    events = random_stream(5)
    state, other = fresh_state(), fresh_state()
    needed = as_table(events).select(["event_id", "event_time_ns", "card_id", "amount_minor"])
    nulls = [
        CardTransaction(
            event_id=event.event_id,
            event_time_ns=event.event_time_ns,
            card_id=event.card_id,
            amount_minor=event.amount_minor,
            currency="EUR",
        )
        for event in events
    ]
    null_typed = needed.append_column("merchant_id", pa.nulls(len(needed)))
    expected = other.compute(other.code_events(nulls))
    assert same_bits(state.compute(state.code_table(null_typed)), expected)


@pytest.mark.parametrize("partitions", [1, 2, 4])
def test_partitions_by_card_give_the_same_rows(partitions: int) -> None:
    events = random_stream(6, StreamShape(cards=9))
    expected = in_batches(events, len(events))
    owner = np.array([int(event.card_id.removeprefix("card")) % partitions for event in events])
    for partition in range(partitions):
        rows = np.flatnonzero(owner == partition)
        found = in_batches([events[row] for row in rows], 16)
        assert same_bits(found, FeatureBlock(expected.values[rows], expected.status[rows]))


@pytest.mark.parametrize("column", ["event_id", "event_time_ns", "card_id", "amount_minor"])
def test_a_null_where_none_may_be_names_column_and_row(column: str) -> None:
    table = as_table(random_stream(7))
    values = table.column(column).to_pylist()
    values[17] = None
    place = table.column_names.index(column)
    broken = table.set_column(place, column, pa.array(values, table.schema.field(column).type))
    with pytest.raises(BadInputError, match=f"row 17: {column} is null"):
        fresh_state().code_table(broken)
    with pytest.raises(BadInputError, match=f"no column {column}"):
        fresh_state().code_table(table.drop_columns([column]))


def test_a_position_off_the_globe_is_refused() -> None:
    event = CardTransaction(
        event_id="e", event_time_ns=0, card_id="c", amount_minor=1, currency="EUR", latitude=91.0, longitude=0.0
    )
    with pytest.raises(BadInputError, match=r"row 0: position 91\.0, 0\.0 is off the globe"):
        fresh_state().code_events([event])


def at_day(day: int, number: int, terminal_id: str | None = "terminal1") -> CardTransaction:
    return CardTransaction(
        event_id=f"{number} at {terminal_id}",
        event_time_ns=day * NS_PER_DAY + number,
        card_id="c",
        amount_minor=1,
        currency="EUR",
        terminal_id=terminal_id,
    )


def terminal_counts(state: FeatureState, days: list[int], terminal_id: str | None = "terminal1") -> list[float]:
    events = [at_day(day, number, terminal_id) for number, day in enumerate(days)]
    found: list[float] = state.compute(state.code_events(events)).values[:, TERMINAL].tolist()
    return found


def test_an_event_uses_the_table_of_the_day_before() -> None:
    state = FeatureState.empty(VOCABULARY)
    for day in (100, 101, 102):
        state.install(day_table(day, value=day))
    assert terminal_counts(state, [101, 102, 103]) == [100, 101, 102]
    assert state.stale_lookups == 0
    assert terminal_counts(state, [103], "elsewhere") == [0]
    np.testing.assert_array_equal(terminal_counts(state, [103], None), [np.nan])


def test_a_table_that_is_not_held_is_replaced_and_counted() -> None:
    state = FeatureState.empty(VOCABULARY)
    np.testing.assert_array_equal(terminal_counts(state, [0, 103]), [np.nan, np.nan])
    assert state.stale_lookups == 2
    for day in (100, 102):
        state.install(day_table(day, value=day))
    assert terminal_counts(state, [90, 102, 110]) == [100, 100, 102]
    assert state.stale_lookups == 5


def test_missing_days_are_those_that_may_still_come() -> None:
    state = FeatureState.empty(VOCABULARY)
    batch = state.code_events([at_day(day, day) for day in (104, 101, 103, 103)])
    assert state.missing_days(batch) == [100, 102, 103]
    state.install(day_table(102))
    assert state.missing_days(batch) == [103]


def test_tables_are_kept_until_events_are_past_them() -> None:
    state = FeatureState.empty(VOCABULARY)
    state.compute(state.code_events([at_day(101, 0, "elsewhere")]))
    for day in range(90, 130):
        state.install(day_table(day, value=day))
    assert state.table_days == list(range(93, 130))
    assert terminal_counts(state, list(range(101, 131))) == list(range(100, 130))
    for day in range(130, 200):
        state.install(day_table(day, value=day))
        assert terminal_counts(state, [day + 1]) == [day]
    assert state.table_days == list(range(200 - len(range(93, 130)), 200))  # those left behind make room, no more


def test_tables_that_run_ahead_of_the_events_are_bounded() -> None:
    state = FeatureState.empty(VOCABULARY)
    for day in range(500):
        state.install(day_table(day))
    assert state.table_days == list(range(500 - TABLES_MAX, 500))


def test_a_table_can_be_published_again() -> None:
    state = FeatureState.empty(VOCABULARY)
    for day in range(90, 105):
        state.install(day_table(day, value=1))
    state.install(day_table(104, ("terminal7",), value=2))
    assert terminal_counts(state, [105]) == [0]
    assert terminal_counts(state, [105], "terminal7") == [2]
    state.install(day_table(3))
    assert state.table_days[0] == 105 - 15


def test_a_micro_batch_may_span_more_days_than_are_kept() -> None:
    days = list(range(100, 100 + 3 * DAYS_KEPT))
    together, apart = FeatureState.empty(VOCABULARY), FeatureState.empty(VOCABULARY)
    for day in days:
        together.install(day_table(day - 1, value=day))
    found = terminal_counts(together, days)
    for number, day in enumerate(days):
        apart.install(day_table(day - 1, value=day))
        block = apart.compute(apart.code_events([at_day(day, number)]))
        assert block.values[0, TERMINAL] == found[number] == day
    assert (together.stale_lookups, apart.stale_lookups) == (0, 0)


@pytest.mark.parametrize("cut", [0, 1, 333, 700])
def test_a_restored_state_goes_on_identically(tmp_path: Path, cut: int) -> None:
    events = random_stream(8, StreamShape(events=700))
    path = tmp_path / "features.state"
    state = fresh_state()
    state.compute(state.code_events(events[:cut]))
    state.save(path, {"events-0": cut, "events-1": 7})
    restored, offsets = FeatureState.load(path)
    assert offsets == {"events-0": cut, "events-1": 7}
    assert restored.vocabulary == VOCABULARY
    assert (restored.cards, restored.table_days) == (state.cards, state.table_days)
    expected = state.compute(state.code_events(events[cut:]))
    assert same_bits(restored.compute(restored.code_events(events[cut:])), expected)
    assert restored.stale_lookups == state.stale_lookups
    restored.install(day_table(FIRST_DAY + 70))
    assert len(restored.table_days) == 7


def test_the_same_stream_gives_the_same_snapshot_in_any_batches(tmp_path: Path) -> None:
    events = random_stream(9)
    for name, size in (("one", 1), ("many", 64)):
        state = fresh_state()
        for start in range(0, len(events), size):
            state.compute(state.code_events(events[start : start + size]))
        state.save(tmp_path / name, {})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


def test_a_snapshot_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="there is no snapshot"):
        FeatureState.load(tmp_path / "none")


def test_an_empty_batch_is_no_trouble() -> None:
    state = fresh_state()
    block = state.compute(state.code_events([]))
    assert block.values.shape == (0, len(FEATURE_NAMES))
    assert state.missing_days(state.code_events([])) == []
    assert state.compute(state.code_table(as_table([]))).values.shape == (0, len(FEATURE_NAMES))


def test_taken_rows_of_a_batch_are_computed_as_such() -> None:
    events = random_stream(10)
    state, other = fresh_state(), fresh_state()
    batch: TransactionBatch = state.code_events(events)
    every_other = np.arange(0, len(events), 2)
    expected = other.compute(other.code_events(events[::2]))
    assert same_bits(state.compute(batch.take(every_other)), expected)
    again = fresh_state()
    assert same_bits(again.compute(again.code_events(events).take(slice(None, None, 2))), expected)


def test_many_cards_and_long_histories_outgrow_every_first_size() -> None:
    events = random_stream(11, StreamShape(events=30_000, cards=3_000, days=20.0, merchants=5_000))
    state = fresh_state()
    block = state.compute(state.code_events(events))
    assert state.cards == 3_000
    assert int((block.status == Status.REPEATED).sum()) > 0
    assert same_bits(in_batches(events, 4_096), block)


def test_warm_up_compiles_without_touching_anything() -> None:
    warm_up()


@given(st.integers(0, 3), st.integers(0, 300))
def test_saved_anywhere_and_restored_is_never_stopped(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cut: int
) -> None:
    events = random_stream(seed, StreamShape(events=300))
    path = tmp_path_factory.mktemp("saved") / "features.state"
    whole, state = fresh_state(), fresh_state()
    expected = whole.compute(whole.code_events(events))
    before = state.compute(state.code_events(events[:cut]))
    state.save(path, {"events-0": cut})
    restored, offsets = FeatureState.load(path)
    after = restored.compute(restored.code_events(events[offsets["events-0"] :]))
    assert same_bits(joined([before, after]), expected)
    assert (restored.stale_lookups, restored.cards) == (whole.stale_lookups, whole.cards)


def test_the_kernel_is_asked_for_anew_when_an_argument_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called past numba's look at its arguments: whoever does that has to look himself."""
    asked: list[tuple[Any, ...]] = []

    def found(_kernel: Any, *arguments: Any) -> Callable[..., int]:
        asked.append(arguments)
        return lambda row, columns, *rest: len(columns[0])

    monkeypatch.setattr("models.features.state.entry_point", found)
    state, events = FeatureState.empty(VOCABULARY), random_stream(5)
    usual = state.code_events(events[:1])
    for batch, times in (
        (usual, 1),
        (usual, 1),
        (dataclasses.replace(usual, card=usual.card.astype(np.int64)), 2),
        (usual, 3),
    ):
        state.compute(batch)
        assert len(asked) == times
    state.install(day_table(FIRST_DAY + 60))
    state.compute(usual)
    assert len(asked) == 4
