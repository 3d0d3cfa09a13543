"""All turns of a comparison, with streams that are made up."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.decision_rows import DECISION_ROWS_SCHEMA
from harness.peers.climb import Ladder
from harness.peers.contenders import Contender, Serving, own_contenders
from harness.peers.session import PEERS_FILE, Session
from harness.peers.turn import Turn
from harness.runfolder import RunFolder
from harness.scenario import Breaker

OWN = own_contenders(Serving(Path(), Path(), Path(), Breaker(), 0.0))
PEER = Contender("peer", "Peer", "peer", "1", OWN[0].setup)


class MadeUp:
    """Plays turns: holds up to a rate by name, decides with a score by name, breaks off for those it does not know."""

    def __init__(self, folder: Path, capacity: dict[str, float], score: dict[str, float]) -> None:
        self.folder, self.capacity, self.score = folder, capacity, score
        self.played: list[tuple[str, float]] = []

    def is_far(self, turn: Turn) -> bool:
        return False

    def play(self, contender: Contender, rate_per_s: float, number: int) -> tuple[Turn, Path | None]:
        name = contender.name
        self.played.append((name, rate_per_s))
        if name not in self.capacity:
            return Turn(name, rate_per_s, held=False, why="broke off: no such thing"), None
        events = round(rate_per_s)
        rows: dict[str, Any] = {
            "event_id": [f"e{i}" for i in range(events)],
            "outcome": ["approve"] * events,
            "path": ["model"] * events,
            "score": [self.score.get(name, 0.5)] * events,
            "reasons": [[]] * events,
        }
        arrays = {name: pa.array(values, DECISION_ROWS_SCHEMA.field(name).type) for name, values in rows.items()}
        path = self.folder / f"{number}.parquet"
        pq.write_table(pa.table(arrays), path)
        return Turn(name, rate_per_s, held=rate_per_s <= self.capacity[name], p99_ms=1.0), path


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, "peers", datetime(2026, 1, 2, tzinfo=UTC))


def play(folder: RunFolder, stage: MadeUp, contenders: list[Contender]) -> Session:
    session = Session(contenders, {}, Ladder((100.0, 200.0), 0), folder, {}, lambda turn, took_s: None, lambda: 0.0)
    session.play(stage)  # type: ignore[arg-type]
    return session


def test_everyone_climbs_and_is_held_against_the_reference(folder: RunFolder) -> None:
    stage = MadeUp(folder.work, {"native": 1e9, "null": 1e9, "peer": 100.0}, {"null": 0.1})
    session = play(folder, stage, [OWN[0], OWN[1], PEER])
    assert stage.played[0] == ("native", 100.0)
    kept = json.loads((folder.path / PEERS_FILE).read_text("utf-8"))
    assert kept == session.content()
    native, null, peer = kept["contenders"]
    assert (native["capacity_per_s"], native["at_least"]) == (200.0, True)
    assert (peer["capacity_per_s"], peer["not_held_per_s"]) == (100.0, 200.0)
    assert (null["compared"], null["differing"]) == (0, 0)
    assert (peer["compared"], peer["differing"]) == (100 + 100 + 200, 0)
    assert kept["complete"]
    assert list(folder.work.iterdir()) == []


def test_a_peer_that_decides_otherwise_is_found_out(folder: RunFolder) -> None:
    stage = MadeUp(folder.work, {"native": 1e9, "peer": 1e9}, {"peer": 0.25})
    session = play(folder, stage, [OWN[0], PEER])
    turns = [turn for turn in session.turns if turn.contender == "peer"]
    assert all(turn.differing == turn.compared > 0 for turn in turns)
    assert "score 0.5 → 0.25" in str(turns[0].why)


def test_a_peer_that_never_runs_is_given_up(folder: RunFolder) -> None:
    stage = MadeUp(folder.work, {"native": 1e9}, {})
    session = play(folder, stage, [OWN[0], PEER])
    assert [played for played in stage.played if played[0] == "peer"] == [("peer", 100.0)] * 2
    assert session.content()["contenders"][1]["capacity_per_s"] is None
    assert session.complete
