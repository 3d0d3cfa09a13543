"""The graph state: batches of any cut, messages and columns, snapshots, errors."""

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import FeatureBlock, Status
from models.features.snapshot import SnapshotError
from models.graph.catalog import AML_FEATURE_INDEX, AML_FEATURE_NAMES, COMMUNITY_FEATURES
from models.graph.community_table import TABLES_KEPT, CommunityTable
from models.graph.kernel.layout import CUT_SHORT, STALE, STEPS_MOST
from models.graph.state import GraphState, warm_up
from streams.account import ACCOUNT_SCHEMA
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.transfer import Transfer
from tests.unit.models.features.streams import same_bits
from tests.unit.models.graph.transfers import (
    START_NS,
    TABLE,
    StreamShape,
    account_rows,
    account_table,
    as_table,
    at_hour,
    fresh_state,
    random_stream,
)

SIZE = AML_FEATURE_INDEX["community_size"]


def joined(parts: list[FeatureBlock]) -> FeatureBlock:
    values = np.concatenate([part.values for part in parts])
    return FeatureBlock(values, np.concatenate([part.status for part in parts]))


def cut(events: list[Transfer], cuts: list[int], path: Path | None = None) -> tuple[FeatureBlock, GraphState]:
    """The rows of a stream in batches; with `path`, saved there and restored between any two."""
    state, parts = fresh_state(), []
    for first, end in itertools.pairwise([0, *cuts, len(events)]):
        if path is not None:
            state.save(path, {"transfers-0": first})
            state, offsets = GraphState.load(path)
            assert offsets == {"transfers-0": first}
        parts.append(state.compute(state.code_events(events[first:end])))
    return joined(parts), state


@given(st.lists(st.integers(0, 250), max_size=8), st.integers(0, 5))
def test_any_split_gives_the_same_bits_and_the_same_snapshot(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], seed: int
) -> None:
    events, folder = random_stream(seed), tmp_path_factory.mktemp("cut")
    whole, one = cut(events, [])
    parts, other = cut(events, sorted(cuts))
    assert same_bits(whole, parts)
    one.save(folder / "one", {})
    other.save(folder / "other", {})
    assert (folder / "one").read_bytes() == (folder / "other").read_bytes()


@pytest.mark.parametrize("cuts", [[0], [1], [100, 101], [250]])
def test_a_restored_state_goes_on_to_the_same_bytes(tmp_path: Path, cuts: list[int]) -> None:
    events = random_stream(7)
    whole, one = cut(events, cuts)
    restored, other = cut(events, cuts, tmp_path / "between")
    assert same_bits(whole, restored)
    one.save(tmp_path / "one", {})
    other.save(tmp_path / "other", {})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def plain_strings(table: pa.Table) -> pa.Table:
    columns = [column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def test_messages_and_columns_give_the_same_bits_and_codes() -> None:
    events = random_stream(4)
    table = as_table(events)
    expected, by_message = cut(events, [])
    plain = plain_strings(table)
    for form in (table, plain, pa.concat_tables([table.slice(0, 99), table.slice(99)])):
        state = fresh_state()
        assert same_bits(state.compute(state.code_table(form)), expected)
        codes = np.arange(state.accounts, dtype=np.int32)
        assert state.names_of(codes) == by_message.names_of(codes)


def test_rows_may_be_computed_in_place_one_at_a_time() -> None:
    events = random_stream(2)
    expected, _ = cut(events, [])
    state = fresh_state()
    batch = state.code_events(events)
    values = np.zeros((2 * len(batch), len(AML_FEATURE_NAMES)), np.float32)
    status = np.zeros(len(batch), np.uint8)
    for row in range(len(batch)):
        state.compute_into(batch, values, status, row, row + 1)
    assert same_bits(FeatureBlock(values, status), expected)


def test_more_transfers_than_the_first_room_holds() -> None:
    shape = StreamShape(transfers=30_000, accounts=3_000, days=20.0, late_share=0.02)
    state, other = fresh_state(), fresh_state()
    events = random_stream(11, shape)
    store = other._store
    other._store = store._replace(arena=store.arena[:64].copy(), sums=store.sums[:64].copy())
    expected = state.compute(state.code_events(events))
    assert same_bits(other.compute(other.code_events(events)), expected)
    assert state.accounts == 3_000


def test_an_account_known_later_has_its_profile_from_then_on() -> None:
    state = GraphState(ACCOUNT_SCHEMA.empty_table(), TABLE)
    rating = AML_FEATURE_INDEX["risk_rating"]
    before = state.compute(state.code_events([at_hour(0, 0, "a1", "a2")])).values
    state.know(account_table(account_rows(0, 4)))
    after = state.compute(state.code_events([at_hour(1, 1, "a1", "a2")])).values
    assert np.isnan(before[:, rating]).all()
    assert not np.isnan(after[:, rating]).any()
    assert after[0, AML_FEATURE_INDEX["out_count_7d"]] == 2


def table_of(day: int, size: float) -> CommunityTable:
    return CommunityTable(day, ("a1",), np.full((1, 6), size, np.float32))


def test_a_transfer_uses_the_table_of_the_day_before(tmp_path: Path) -> None:
    state = fresh_state()
    day = START_NS // NS_PER_DAY
    batch = state.code_events([at_hour(number, 24 * number + 1, "a1", "new") for number in range(3)])
    assert state.missing_days(batch) == [day - 1, day, day + 1]
    for back in range(TABLES_KEPT + 2):
        state.install(table_of(day - 1 - back, 5))
    state.install(table_of(day, 6))
    assert state.table_days == list(range(day - TABLES_KEPT + 1, day + 1))
    assert state.missing_days(batch) == [day + 1]
    values = state.compute(batch).values
    assert values[::2, SIZE].tolist() == [5, 6, 6]
    assert values[1::2, SIZE].tolist() == [1, 1, 1]
    assert state.stale_lookups == 1
    state.install(table_of(day, 7))
    state.save(tmp_path / "state", {})
    restored, _ = GraphState.load(tmp_path / "state")
    late = [at_hour(9, 30, "a1", "a2")]
    assert restored.compute(restored.code_events(late)).values[0, SIZE] == 7


def test_without_tables_nothing_is_known_of_communities() -> None:
    state = fresh_state()
    values = state.compute(state.code_events([at_hour(0, 0, "a1", "a2")])).values
    assert np.isnan(values[:, SIZE : SIZE + len(COMMUNITY_FEATURES)]).all()
    assert state.stale_lookups == 1


def test_a_currency_without_rate_is_refused() -> None:
    event = Transfer(event_id="e", event_time_ns=0, amount_minor=1, currency="XXX", channel="wire", from_account="a")
    words = r"transfers, row 0: currency 'XXX' is none of AED, EUR"
    with pytest.raises(BadInputError, match=words):
        fresh_state().code_events([event])
    with pytest.raises(BadInputError, match=words):
        fresh_state().code_table(as_table([event]))


@pytest.mark.parametrize("column", ["event_id", "event_time_ns", "amount_minor", "currency", "channel"])
def test_a_null_where_none_may_be_names_column_and_row(column: str) -> None:
    table = as_table(random_stream(7))
    values = table.column(column).to_pylist()
    values[17] = None
    place = table.column_names.index(column)
    broken = table.set_column(place, column, pa.array(values, table.schema.field(column).type))
    with pytest.raises(BadInputError, match=f"row 17: {column} is null"):
        fresh_state().code_table(broken)


def test_accounts_are_checked() -> None:
    table = account_table(account_rows(0, 4))
    with pytest.raises(BadInputError, match="accounts have no column is_pep"):
        GraphState(table.drop_columns(["is_pep"]), TABLE)
    with pytest.raises(BadInputError, match="accounts, row 4: account 'a0' is named twice"):
        GraphState(pa.concat_tables([table, table]), TABLE)
    odd = table.set_column(4, "currency", pa.array(["EUR", "EUR", "DOGE", "EUR"]))
    with pytest.raises(BadInputError, match="accounts, row 2: currency 'DOGE' is none of"):
        GraphState(odd, TABLE)


def test_a_snapshot_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="there is no snapshot"):
        GraphState.load(tmp_path / "none")


def test_an_empty_batch_is_no_trouble() -> None:
    state = fresh_state()
    assert state.compute(state.code_events([])).values.shape == (0, len(AML_FEATURE_NAMES))
    assert state.compute(state.code_table(as_table([]))).values.shape == (0, len(AML_FEATURE_NAMES))


def test_a_repeated_transfer_changes_nothing() -> None:
    first, last = at_hour(1, 0, "a1", "a2"), at_hour(2, 1, "a2", "a1")
    plain, twice = fresh_state(), fresh_state()
    expected = plain.compute(plain.code_events([first, last]))
    found = twice.compute(twice.code_events([first, first, last, first]))
    assert found.status.tolist() == [Status.ON_TIME, Status.REPEATED, Status.ON_TIME, Status.REPEATED]
    np.testing.assert_array_equal(found.values[4:6], expected.values[2:4])
    assert np.isnan(found.values[2:4]).all()


def test_warm_up_compiles_without_touching_anything() -> None:
    warm_up(TABLE)


FEATURE_COUNTS = (CUT_SHORT, STALE, STEPS_MOST)


def left_behind(state: GraphState) -> dict[str, bytes]:
    """What a snapshot holds, without what is counted of features."""
    settings, arrays = state.snapshot()
    clock = arrays["clock"].copy()
    clock[list(FEATURE_COUNTS)] = 0
    told = {name: array.tobytes() for name, array in arrays.items()}
    return told | {"clock": clock.tobytes(), "settings": repr(settings).encode()}


@given(st.data(), st.integers(0, 5), st.booleans())
def test_rows_that_nobody_wants_only_enter_the_graph(data: st.DataObject, seed: int, rare: bool) -> None:
    shape = StreamShape(accounts=8 if seed % 2 else 40)
    events = random_stream(seed, shape)
    some = st.sampled_from([0, 0, 0, 0, 0, 0, 0, 0, 0, 1] if rare else [0, 1])
    wanted = np.array(data.draw(st.lists(some, min_size=len(events), max_size=len(events))), np.uint8)
    whole, part = fresh_state(seed, shape), fresh_state(seed, shape)
    for state in (whole, part):
        state.install(table_of(START_NS // NS_PER_DAY + 3, 5))
    expected = whole.compute(whole.code_events(events))
    found = part.compute(part.code_events(events), wanted)
    rows = np.repeat(wanted != 0, 2)
    assert found.status.tobytes() == expected.status.tobytes()
    assert found.values[rows].tobytes() == expected.values[rows].tobytes()
    assert np.isnan(found.values[~rows]).all()
    assert left_behind(part) == left_behind(whole)
    assert part.stale_lookups <= whole.stale_lookups
