"""Workers for transfers that die at any instant or lose the stream: each transfer is decided once, each alert raised
once, as if undisturbed."""

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph.link_ledger import LinkLedger
from rules.typologies.pack import SHIPPED, TypologyPack
from scorer.aml import keeping
from scorer.aml.assembly import load_packs
from scorer.aml.keeping import TransferCheckpoints
from scorer.aml.raising import AlertRaiser
from scorer.aml.state_files import TransferState
from scorer.aml.whole_files import Whole
from scorer.checkpoint.answered import Answered
from scorer.checkpoint.epochs import Identity
from scorer.checkpoint.keeping import Keep
from scorer.explaining import Scored
from streams.codec import encode, table_to_transfers
from streams.errors import BadInputError
from streams.transfer import Transfer
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlTables, AmlWorld
from tests.unit.scorer.aml.test_pipeline import pipeline, without_instants

TOPIC, DECISIONS, ALERTS = "run.transfers", ("run.decisions", 0), ("run.alerts", 0)
EXPLANATIONS = ("run.explanations", 0)
IDENTITY = Identity(TOPIC, "run.scorer", "m", "f00d", "empty")
EVERY_NS = 3_000_000_000


@pytest.fixture(scope="module", autouse=True)
def _small_and_no_disk() -> Iterator[None]:
    """What is written need not outlive the machine here, and cuts come often."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda _: None)
        patched.setattr(keeping, "PAUSES_APART", 0)
        patched.setattr(AlertRaiser.__init__, "__defaults__", (4_096,))
        yield


@pytest.fixture(scope="module")
def tables() -> AmlTables:
    return AmlWorld(AmlWorldConfig(customers=300, laundering_share=0.02), 3).generate(3, 700)


@pytest.fixture(scope="module")
def pack() -> TypologyPack:
    return load_packs(SHIPPED)


class Log:
    """Transfers, and the answers' topics as a broker keeps them."""

    def __init__(self, transfers: list[Transfer]) -> None:
        self.transfers = transfers
        self.topics: dict[tuple[str, int], list[Any]] = {DECISIONS: [], EXPLANATIONS: [], ALERTS: []}

    def append(self, at: tuple[str, int], said: Any) -> int:
        self.topics[at].append(said)
        return len(self.topics[at])

    def event_edges(self) -> dict[int, tuple[int, int]]:
        return {0: (0, len(self.transfers))}

    def into(self, answered: Answered, begins: Mapping[tuple[str, int], int]) -> None:
        takes = (answered.add_decision, answered.add_explanation, answered.add_alert)
        for at, add in zip(self.topics, takes, strict=True):
            for said in self.topics[at][begins.get(at, 0) :]:
                add(encode(said))


class Explained(msgspec.Struct, frozen=True):
    event_id: str


class Worker:
    """Decides as the engine does; its answers reach the broker when `deliver` is called."""

    def __init__(self, folder: Path, log: Log, tables: AmlTables, pack: TypologyPack) -> None:
        self.log, self.reached = log, dict[tuple[str, int], int]()
        self.flying: deque[Any] = deque()
        self.pipeline = pipeline(tables, pack)
        self.counters = self.pipeline.counters
        ticks = iter(range(0, 10**15, 1_000_000_000))

        def restored(whole: Whole | None) -> TransferState:
            if whole is not None:
                return TransferState.restore(whole.settings, whole.arrays, pack, tables.accounts)
            parts = pipeline(tables, pack).parts
            return TransferState(parts.state, parts.ledger, parts.raiser, tables.accounts)

        keep = Keep(folder, IDENTITY, EVERY_NS / 1e9)
        nothing: Any = log
        self.checkpoints = TransferCheckpoints(
            keep, self.pipeline, restored, nothing, self.counters, lambda: next(ticks)
        )
        self.checkpoints.connect(lambda: self.reached, self.flying.append)
        self.pipeline.leave_out(self.checkpoints.answered)
        self.pipeline.explain_by(self)
        self.at = 0

    def submit(self, rows: Scored) -> None:
        """Explained once the decisions of the batch are on their way."""
        self.flying.extend((EXPLANATIONS, Explained(event_id)) for event_id in rows.event_ids)

    def take_over(self) -> None:
        self.at = self.checkpoints.restore([0])[0]

    def deliver(self, count: int) -> None:
        while self.flying and count > 0:
            found = self.flying.popleft()
            if callable(found):
                found()
                continue
            at, said = found
            self.reached[at] = self.log.append(at, said)
            count -= 1

    def decide(self, most: int) -> None:
        batch = self.log.transfers[self.at : self.at + most]
        if not batch:
            return
        answers = self.pipeline.answer(batch, 0)
        self.flying.extend((ALERTS, alert) for alert in answers.alerts)
        for decision in answers.decisions:
            self.flying.append((DECISIONS, decision))
        self.at += len(batch)
        self.checkpoints.took(self.at)

    def hand_over(self) -> None:
        self.deliver(10**6)
        self.checkpoints.finish(lambda: self.deliver(10**6))
        self.checkpoints.give_up([0])

    def die(self, delivered: int, rng: np.random.Generator | None = None) -> None:
        """What is in flight arrives in order within a topic, and in none between topics."""
        self.deliver(delivered)
        sent = [found for found in self.flying if not callable(found)]
        for at in self.log.topics if rng is not None else ():
            of_topic = [said for where, said in sent if where == at]
            for said in of_topic[: 0 if rng is None else int(rng.integers(len(of_topic) + 1))]:
                self.log.append(at, said)
        self.checkpoints.close()
        self.pipeline.evening.close()


def uninterrupted(transfers: list[Transfer], tables: AmlTables, pack: TypologyPack) -> tuple[list[Any], list[Any]]:
    made = pipeline(tables, pack)
    answers = made.answer(transfers, 0)
    decisions = [without_instants(decision) for decision in answers.decisions]
    made.evening.close()
    return decisions, answers.alerts


def with_repeated(transfers: list[Transfer]) -> list[Transfer]:
    return [*transfers[:300], *transfers[290:300], *transfers[300:]]


@pytest.fixture(scope="module")
def transfers(tables: AmlTables) -> list[Transfer]:
    return with_repeated(table_to_transfers(tables.stream_events))


@pytest.fixture(scope="module")
def expected(transfers: list[Transfer], tables: AmlTables, pack: TypologyPack) -> tuple[list[Any], list[Any]]:
    return uninterrupted(transfers, tables, pack)


def check(log: Log, expected: tuple[list[Any], list[Any]]) -> None:
    assert list(map(without_instants, log.topics[DECISIONS])) == expected[0]
    assert log.topics[ALERTS] == expected[1] != []
    reviewed = [each.event_id for each in log.topics[DECISIONS] if each.outcome == "review" and each.path == "model"]
    assert sorted(each.event_id for each in log.topics[EXPLANATIONS]) == sorted(reviewed) != []


@settings(max_examples=8)
@given(seed=st.integers(0, 100_000), calm=st.integers(2, 12))
def test_every_transfer_is_decided_once_and_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    transfers: list[Transfer],
    tables: AmlTables,
    pack: TypologyPack,
    expected: tuple[list[Any], list[Any]],
    seed: int,
    calm: int,
) -> None:
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("checkpoints")
    log, left = Log(transfers), 5
    worker = Worker(folder, log, tables, pack)
    worker.take_over()
    while worker.at < len(transfers) or worker.flying:
        worker.decide(int(rng.integers(1, 60)))
        worker.checkpoints.step()
        worker.deliver(int(rng.integers(0, 90)))
        if left and rng.integers(calm) == 0:
            left -= 1
            kind = rng.random()
            if kind < 0.7:
                worker.die(int(rng.integers(0, 60)), rng)
                worker = Worker(folder, log, tables, pack)
            elif kind < 0.85:
                worker.hand_over()
            else:
                worker.deliver(int(rng.integers(0, 60)))
                worker.flying.clear()
                worker.checkpoints.lose()
                worker.checkpoints.give_up([0])
            worker.take_over()
    worker.hand_over()
    worker.die(0)
    assert worker.counters.taken == (worker.counters.decided + worker.counters.repeated + worker.counters.replayed)
    check(log, expected)


def test_a_damaged_checkpoint_is_refused_and_the_one_before_goes_on(
    tmp_path: Path,
    transfers: list[Transfer],
    tables: AmlTables,
    pack: TypologyPack,
    expected: tuple[list[Any], list[Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = Log(transfers)
    worker = Worker(tmp_path, log, tables, pack)
    worker.take_over()
    for _ in range(3):
        worker.decide(100)
        worker.deliver(10**6)
        worker.checkpoints.finish(lambda: worker.deliver(10**6))
    worker.die(0)
    kept = sorted(tmp_path.rglob("*.whole"))
    assert [path.name for path in kept] == ["00000002.whole", "00000003.whole"]
    content = bytearray(kept[-1].read_bytes())
    content[len(content) // 2] ^= 4
    kept[-1].write_bytes(content)
    second = Worker(tmp_path, log, tables, pack)
    second.take_over()
    assert second.at == 200
    assert second.counters.checkpoint_refused == 1
    assert "checkpoint refused" in caplog.text
    second.decide(10**6)
    second.hand_over()
    second.die(0)
    assert second.counters.replayed == 100
    check(log, expected)


def test_a_full_disk_costs_a_checkpoint_and_no_decision(
    tmp_path: Path,
    transfers: list[Transfer],
    tables: AmlTables,
    pack: TypologyPack,
    expected: tuple[list[Any], list[Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = Log(transfers)
    worker = Worker(tmp_path, log, tables, pack)
    worker.take_over()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr("scorer.aml.whole_files.write_snapshot", full)
        worker.decide(200)
        worker.hand_over()
    assert worker.counters.checkpoint_failed > 0
    assert "No space left on device; the one before counts" in caplog.text
    worker.take_over()
    assert worker.at == 0
    worker.decide(10**6)
    worker.hand_over()
    worker.die(0)
    assert worker.counters.checkpoints > 0
    check(log, expected)


def test_a_file_that_is_waited_for_is_written_without_rests(
    tmp_path: Path,
    transfers: list[Transfer],
    tables: AmlTables,
    pack: TypologyPack,
    expected: tuple[list[Any], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("models.features.snapshot.PIECE_BYTES", 1_024)
    monkeypatch.setattr(keeping, "REST_S", 600.0)
    monkeypatch.setattr(keeping, "WRITE_LIMIT_S", 20.0)
    worker = Worker(tmp_path, Log(transfers), tables, pack)
    worker.take_over()
    worker.decide(10**6)
    worker.hand_over()
    assert worker.counters.checkpoints == 1
    worker.die(0)
    check(worker.log, expected)


def test_a_checkpoint_of_something_else_is_refused(
    tmp_path: Path, transfers: list[Transfer], tables: AmlTables, pack: TypologyPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Worker(tmp_path, Log(transfers), tables, pack)
    first.take_over()
    first.decide(100)
    first.hand_over()
    first.die(0)
    second = Worker(tmp_path, Log(transfers[:50]), tables, pack)
    with pytest.raises(BadInputError, match=r"is not the stream that it was made of; start with another"):
        second.take_over()
    second.die(0)
    other = Identity(TOPIC, "run.scorer", "m", "f00d", "another warm state")
    monkeypatch.setattr("tests.unit.scorer.aml.test_keeping.IDENTITY", other)
    third = Worker(tmp_path, Log(transfers), tables, pack)
    with pytest.raises(BadInputError, match="warm_state 'empty', not 'another warm state'"):
        third.take_over()
    third.die(0)


def test_a_worker_without_the_partition_keeps_nothing(
    tmp_path: Path, transfers: list[Transfer], tables: AmlTables, pack: TypologyPack
) -> None:
    worker = Worker(tmp_path, Log(transfers), tables, pack)
    assert worker.checkpoints.restore([]) == {}
    assert not worker.checkpoints.expects(0, 0)
    for _ in range(8):
        worker.checkpoints.step()
    worker.hand_over()
    worker.die(0)
    assert list(tmp_path.rglob("*.whole")) == []


def test_a_ledger_goes_on_from_its_snapshot() -> None:
    ledger = LinkLedger(np.array([[3, 0, 1, 2]], np.int64), 2)
    settings, arrays = ledger.snapshot()
    other = LinkLedger.restore(settings, arrays)
    assert other.last_closed == 2
    again, first = (each.begin_closing(3).week() for each in (other, ledger))
    assert np.array_equal(again, first)
