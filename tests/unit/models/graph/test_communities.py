"""Communities and centrality, and the ledger that closes their tables."""

import functools
from collections import Counter
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.batch import Int64s
from models.features.snapshot import SnapshotError
from models.graph import link_ledger
from models.graph.catalog import AML_FEATURE_INDEX, COMMUNITY_FEATURES
from models.graph.communities import describe_accounts
from models.graph.community_table import TABLES_KEPT, CommunityTable
from models.graph.daily import compute_daily
from models.graph.kernel.cores import core_numbers
from models.graph.link_ledger import DAYS, LinkLedger, Names, draw_table
from models.graph.state import GraphState
from streams.labels import NS_PER_DAY
from streams.transfer import Transfer
from tests.unit.models.graph.transfers import START_NS, at_hour, fresh_state, random_stream

COLUMN = {feature.name: place for place, feature in enumerate(COMMUNITY_FEATURES)}
DAY = START_NS // NS_PER_DAY


def random_graph(seed: int, accounts: int = 60, groups: int = 4) -> nx.DiGraph:
    """A directed graph of groups that deal mostly with themselves, every account linked."""
    rng = np.random.default_rng(seed)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(accounts))
    for account in range(accounts):
        for _ in range(4):
            other = int(rng.integers(accounts // groups)) * groups + account % groups
            if rng.random() < 0.05:
                other = int(rng.integers(accounts))
            if other != account:
                graph.add_edge(account, other, weight=int(rng.integers(1, 5)))
    assert min(dict(graph.degree).values()) > 0
    return graph


def described(graph: nx.DiGraph) -> np.ndarray:
    links = np.array([(one, other, data["weight"]) for one, other, data in graph.edges(data=True)], np.int64)
    return describe_accounts(links[:, 0], links[:, 1], links[:, 2], len(graph))


@pytest.mark.parametrize("seed", range(3))
def test_centrality_cores_and_components_are_networkxs(seed: int) -> None:
    graph = random_graph(seed)
    values, undirected = described(graph), graph.to_undirected()
    rank = nx.pagerank(graph, tol=1e-10, max_iter=500)
    np.testing.assert_allclose(values[:, COLUMN["pagerank_to_mean"]], [rank[a] * len(graph) for a in graph], rtol=1e-4)
    cores = nx.core_number(undirected)
    assert values[:, COLUMN["core_number"]].tolist() == [cores[account] for account in graph]
    sizes = {account: len(part) for part in nx.connected_components(undirected) for account in part}
    assert values[:, COLUMN["component_size"]].tolist() == [sizes[account] for account in graph]


@given(st.integers(1, 12), st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
def test_core_numbers_are_networkxs(accounts: int, pairs: set[tuple[int, int]]) -> None:
    graph = nx.Graph()
    graph.add_nodes_from(range(accounts))
    graph.add_edges_from((one, other) for one, other in pairs if one < other < accounts)
    links = nx.to_scipy_sparse_array(graph, nodelist=range(accounts), format="csr")
    found = core_numbers(links.indptr.astype(np.int32), links.indices.astype(np.int32))
    assert found.tolist() == [nx.core_number(graph)[account] for account in range(accounts)]


def test_two_cliques_are_two_communities() -> None:
    cliques = nx.DiGraph()
    for first in (0, 5):
        cliques.add_weighted_edges_from(
            (first + one, first + other, 1) for one in range(5) for other in range(5) if one < other
        )
    cliques.add_edge(0, 5, weight=1)
    values = described(cliques)
    assert values[:, COLUMN["community_size"]].tolist() == [5] * 10
    np.testing.assert_allclose(values[:, COLUMN["community_inner_share"]], 20 / 21)
    assert values[:, COLUMN["community_density"]].tolist() == [1] * 10


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert described(random_graph(5)).tobytes() == described(random_graph(5)).tobytes()


def observed(events: list[Transfer]) -> tuple[GraphState, LinkLedger]:
    state, ledger = fresh_state(), LinkLedger()
    batch = state.code_events(events)
    ledger.observe(batch, state.compute(batch).status)
    return state, ledger


def test_a_table_holds_a_week_up_to_its_business_day() -> None:
    days = [0.5, 1, 2, DAYS, DAYS + 0.95, DAYS + 1]  # .95 of a day is behind the cut-off
    events = [at_hour(number, 24 * day, f"x{number}", f"y{number}") for number, day in enumerate(days)]
    state, ledger = observed([*events, events[3], at_hour(9, 30, "x3", "x3"), at_hour(10, 30, "x3", None)])
    table = ledger.close(DAY + DAYS, state.names_of)
    assert sorted(table.ids) == ["x1", "x2", "x3", "y1", "y2", "y3"]
    assert table.values[:, COLUMN["community_size"]].tolist() == [2] * 6
    assert ledger.close(DAY + 40, state.names_of).ids == ()


def test_a_saved_ledger_closes_the_same_table(tmp_path: Path) -> None:
    state, ledger = observed(random_stream(3))
    ledger.save(tmp_path / "links", {"transfers-0": 250})
    restored, offsets = LinkLedger.load(tmp_path / "links")
    one, other = (each.close(DAY + 45, state.names_of) for each in (ledger, restored))
    assert offsets == {"transfers-0": 250}
    assert (one.ids, one.values.tobytes()) == (other.ids, other.values.tobytes())
    with pytest.raises(SnapshotError, match="there is no snapshot"):
        LinkLedger.load(tmp_path / "none")


@pytest.mark.parametrize("size", [1, 7, 250])
def test_the_nightly_job_gives_the_same_rows_in_any_batches(size: int) -> None:
    events = random_stream(6)
    state, ledger = fresh_state(), LinkLedger()
    expected = compute_daily(state, ledger, state.code_events(events))
    state, ledger = fresh_state(), LinkLedger()
    parts = [
        compute_daily(state, ledger, state.code_events(events[first : first + size]))
        for first in range(0, len(events), size)
    ]
    assert np.concatenate([part.values for part in parts]).tobytes() == expected.values.tobytes()
    known = expected.values[:, AML_FEATURE_INDEX["community_size"]]
    assert np.nanmax(known) > 2


def test_nothing_of_the_day_itself_is_in_its_communities() -> None:
    state, ledger = fresh_state(), LinkLedger()
    events = [at_hour(number, 12 + number, "a1", f"a{2 + number}") for number in range(4)]
    events += [at_hour(9, 24 + 13, "a1", "a2"), at_hour(10, 24 + 14, "a1", "b")]
    sizes = compute_daily(state, ledger, state.code_events(events)).values[::2, AML_FEATURE_INDEX["component_size"]]
    assert sizes.tolist() == [1, 1, 1, 1, 5, 5]


@functools.cache
def everything(seed: int) -> tuple[GraphState, LinkLedger, np.ndarray]:
    """The same of a stream of which every row is wanted."""
    events = random_stream(seed)
    return masked(events, np.ones(len(events), np.uint8), len(events))


def masked(events: list[Transfer], wanted: np.ndarray, size: int) -> tuple[GraphState, LinkLedger, np.ndarray]:
    """State, ledger and rows of a stream in batches of which only some rows are wanted."""
    state, ledger = fresh_state(), LinkLedger()
    parts = [
        compute_daily(state, ledger, state.code_events(events[at : at + size]), wanted[at : at + size]).values
        for at in range(0, len(events), size)
    ]
    return state, ledger, np.concatenate(parts)


def test_a_table_with_codes_is_the_one_with_names_alone() -> None:
    events = random_stream(0)
    state, ledger, _ = masked(events, np.ones(len(events), np.uint8), len(events))
    day = ledger.last_closed
    drawn = ledger.close(day + 1, state.names_of)
    assert drawn.codes is not None
    assert state.names_of(drawn.codes) == list(drawn.ids)
    state.install(drawn)
    before = state.snapshot()[1]["table_rows"]
    state.install(CommunityTable(day + 1, drawn.ids, drawn.values))
    np.testing.assert_array_equal(state.snapshot()[1]["table_rows"], before)
    assert before.shape[:2] == (TABLES_KEPT, state.accounts)


@pytest.mark.parametrize("size", [40, 1_000])
@settings(max_examples=12)
@given(st.integers(0, 2), st.lists(st.integers(0, 999), max_size=12))
def test_tables_that_no_wanted_row_needs_are_not_missed(size: int, seed: int, chosen: list[int]) -> None:
    events = random_stream(seed)
    wanted = np.zeros(len(events), np.uint8)
    wanted[[place % len(events) for place in chosen]] = 1
    state, ledger, expected = everything(seed)
    other, skipping, found = masked(events, wanted, size)
    rows = np.repeat(wanted != 0, 2)
    assert found[rows].tobytes() == expected[rows].tobytes()
    for name in ("table_days", "table_rows"):
        np.testing.assert_array_equal(other.snapshot()[1][name], state.snapshot()[1][name])
    assert skipping.last_closed == ledger.last_closed
    restored = (LinkLedger.restore(*each.snapshot()) for each in (ledger, skipping))
    one, two = (each.begin_closing(ledger.last_closed + 1).week() for each in restored)
    assert one.tobytes() == two.tobytes()


def test_days_that_nobody_asks_about_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def draw(day: int, week: Int64s, names: Names) -> CommunityTable:
        drawn.append(day)
        return draw_table(day, week, names)

    monkeypatch.setattr(link_ledger, "draw_table", draw)
    events = [at_hour(number, 24 * number + 1, "a1", f"a{number % 5 + 2}") for number in range(40)]
    wanted = np.zeros(len(events), np.uint8)
    wanted[20] = 1
    masked(events, wanted, len(events))
    tables = [*range(20 - TABLES_KEPT + 1, 21), *range(40 - TABLES_KEPT, 40)]
    assert drawn == [DAY - 1 + number for number in tables]


@pytest.mark.parametrize("late", [False, True])
def test_links_that_come_while_a_table_is_drawn_are_in_the_next(late: bool) -> None:
    """A table that another thread draws is the one that would be drawn at once, and links stay summed."""
    state, at_once, beside = fresh_state(), LinkLedger(), LinkLedger()
    events = [at_hour(number, 9 * number, f"a{number % 5}", f"a{number % 7 + 5}") for number in range(80)]
    closed = []
    for day, start in enumerate(range(0, 80, 8)):
        batch = state.code_events(events[start : start + 8])
        status = state.compute(batch).status
        for ledger in (at_once, beside):
            ledger.observe(batch, status)
        closing = beside.begin_closing(DAY + 3 * day)
        beside.observe(batch.take(slice(0, 0)), status[:0])
        if late:  # a checkpoint gathers the links before the table is there
            beside.observe(batch, status)
            at_once_table = at_once.close(DAY + 3 * day, state.names_of)
            at_once.observe(batch, status)
            beside.snapshot()
        else:
            at_once_table = at_once.close(DAY + 3 * day, state.names_of)
        drawn = closing.draw(state.names_of)
        beside.end_closing(closing)
        closed.append(len(drawn.ids))
        assert (drawn.day, drawn.ids) == (at_once_table.day, at_once_table.ids)
        assert drawn.values.tobytes() == at_once_table.values.tobytes()
        if not late:
            assert len(beside.snapshot()[1]["links"]) == len(at_once.snapshot()[1]["links"]) < 80
    assert max(closed) > 5


@given(
    st.lists(st.tuples(st.integers(20_000, 20_012), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80)
)
def test_a_week_has_a_row_a_pair_and_a_table_a_row_an_account(transfers: list[tuple[int, int, int]]) -> None:
    day = 20_010
    closing = LinkLedger(np.array([[*each, 1] for each in transfers], np.int64)).begin_closing(day)
    pairs = Counter((a, b) for at, a, b in transfers if day - DAYS < at <= day)
    week = closing.week()
    assert week.tolist() == [[0, a, b, count] for (a, b), count in sorted(pairs.items())]
    kept = Counter(each for each in transfers if each[0] > day - DAYS)
    assert closing.summed is not None
    assert closing.summed.all().tolist() == [[*each, count] for each, count in sorted(kept.items())]
    table = draw_table(day, week, lambda codes: [str(code) for code in codes.tolist()])
    assert table.ids == tuple(str(code) for code in sorted({code for pair in pairs for code in pair}))
