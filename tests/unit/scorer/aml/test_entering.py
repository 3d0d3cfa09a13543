"""A history whose alerts nobody asks for is taken in cheaply, and what comes next is decided as if all were scored."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from models.graph.kernel.layout import CUT_SHORT, STALE, STEPS_MOST
from models.graph.link_ledger import LinkLedger
from models.graph.markets import every_market
from models.graph.state import GraphState
from rules.typologies.pack import SHIPPED, TypologyPack
from scorer.aml import entering
from scorer.aml.assembly import load_packs
from scorer.aml.entering import enter_transfers
from scorer.aml.raising import AlertRaiser
from scorer.aml.replaying import ReplayedTransfers, replay_transfers
from scorer.aml.state_files import TransferState
from streams.labels import NS_PER_DAY
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlTables, AmlWorld

STRETCH_NS = 65 * NS_PER_DAY
COUNTED = [CUT_SHORT, STALE, STEPS_MOST]


@dataclasses.dataclass(frozen=True)
class World:
    tables: AmlTables
    pack: TypologyPack
    whole: TransferState
    """After a history that was scored throughout."""
    expected: list[ReplayedTransfers]
    """The stream after it."""


def fresh(tables: AmlTables, pack: TypologyPack) -> TransferState:
    graph, raiser = GraphState(tables.accounts, every_market()), AlertRaiser(pack, tables.accounts)
    return TransferState(graph, LinkLedger(), raiser, tables.accounts)


def often(folder: Path) -> TypologyPack:
    """The shipped packs, with alerts from lower scores: customers are raised again and again."""
    for path in SHIPPED.glob("*.yaml"):
        lines = path.read_text().splitlines()
        rare = [
            f"alert_at: {float(line.split(':')[1]) / 2}" if line.startswith("alert_at:") else line for line in lines
        ]
        (folder / path.name).write_text("\n".join(rare))
    return load_packs(folder)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    tables = AmlWorld(AmlWorldConfig(customers=200, laundering_share=0.01), 3).generate(110, 1_200)
    pack = often(tmp_path_factory.mktemp("packs"))
    whole = fresh(tables, pack)
    assert list(replay_transfers(whole, pack, tables.history_events))
    return World(tables, pack, whole, list(replay_transfers(restored(whole, pack), pack, tables.stream_events)))


def restored(state: TransferState, pack: TypologyPack) -> TransferState:
    """A copy that goes on by itself."""
    parts = [state.graph.snapshot(), state.ledger.snapshot(), state.raiser.snapshot()]
    settings = dict(zip(("graph", "links", "alerts"), (one for one, _ in parts), strict=True))
    arrays = {name: array.copy() for _, found in parts for name, array in found.items()}
    return TransferState.restore(settings, arrays, pack, state.accounts)


def test_what_follows_is_decided_as_if_all_had_been_scored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    before = entering._scored_before

    def counting(*given: object) -> object:
        looked_at.append(int(np.asarray(given[3]).sum()))
        return before(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(entering, "_scored_before", counting)
    state = fresh(world.tables, world.pack)
    enter_transfers(state, world.pack, world.tables.history_events, STRETCH_NS)
    assert looked_at
    assert 0 < looked_at[0] < len(state.raiser.last_raised_ns), "some were open, most were not"
    found = list(replay_transfers(state, world.pack, world.tables.stream_events))
    alerts = [alert for part in world.expected for alert in part.alerts]
    assert len(alerts) > 5
    assert [alert for part in found for alert in part.alerts] == alerts
    for one, other in zip(found, world.expected, strict=True):
        assert one.scored.values.tobytes() == other.scored.values.tobytes()
        assert one.scored.scores.tobytes() == other.scored.scores.tobytes()


def test_without_what_was_raised_before_other_alerts_would_come(world: World) -> None:
    state = restored(world.whole, world.pack)
    state.raiser.last_raised_ns[:] = -(2**62)
    found = replay_transfers(state, world.pack, world.tables.stream_events)
    raised = sum(len(part.alerts) for part in found)
    assert raised > sum(len(part.alerts) for part in world.expected)


def test_graph_links_and_evidence_are_the_same_bits(world: World) -> None:
    state = fresh(world.tables, world.pack)
    enter_transfers(state, world.pack, world.tables.history_events, STRETCH_NS)
    (_, graph), (_, expected) = state.graph.snapshot(), world.whole.graph.snapshot()
    graph, expected = graph | {"clock": graph["clock"].copy()}, expected | {"clock": expected["clock"].copy()}
    for each in (graph, expected):
        each["clock"][COUNTED] = 0
    assert {name: array.tobytes() for name, array in graph.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }
    last = state.ledger.last_closed
    assert last == world.whole.ledger.last_closed
    ledgers = [LinkLedger.restore(*each.ledger.snapshot()) for each in (state, world.whole)]
    links = [each.begin_closing(last + 1).week().tobytes() for each in ledgers]
    assert links[0] == links[1]
    (_, evidence), (_, known) = state.raiser.snapshot(), world.whole.raiser.snapshot()
    for name in evidence.keys() - {"last_raised_ns"}:
        assert evidence[name].tobytes() == known[name].tobytes(), name


def test_a_history_shorter_than_the_stretch_is_scored_whole(world: World) -> None:
    state = fresh(world.tables, world.pack)
    enter_transfers(state, world.pack, world.tables.history_events, 200 * NS_PER_DAY)
    assert state.raiser.last_raised_ns.tolist() == world.whole.raiser.last_raised_ns.tolist()
    empty = fresh(world.tables, world.pack)
    enter_transfers(empty, world.pack, world.tables.history_events.slice(0, 0))
    assert empty.graph.entries_used == 0


def test_a_pack_says_which_columns_it_reads(world: World) -> None:
    assert world.pack.reads
    assert not world.pack.reads & entering._COMMUNITIES
    values = world.expected[0].scored.values.copy()
    market = world.expected[0].market
    others = [column for column in range(values.shape[1]) if column not in world.pack.reads]
    expected = world.pack.score(values, market)
    values[:, others] = np.nan
    assert world.pack.score(values, market).tobytes() == expected.tobytes()
