"""Workers for transfers that die at any instant or lose the stream: each transfer is decided once, each alert raised
once, as if undisturbed."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.snapshot import write_snapshot
from models.graph.followed import Followed
from models.graph.link_ledger import LinkLedger
from rules.typologies.pack import SHIPPED, TypologyPack
from scorer.aml import keeping
from scorer.aml.assembly import load_packs
from scorer.aml.copies import Copies
from scorer.aml.raising import AlertRaiser
from scorer.checkpoint.epochs import Identity
from streams.codec import table_to_transfers
from streams.errors import BadInputError
from streams.transfer import Transfer
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlTables, AmlWorld
from tests.unit.scorer.aml.dying_worker import ALERTS, DECISIONS, EVERY_NS, EXPLANATIONS, TOPIC, Log, Worker
from tests.unit.scorer.aml.test_pipeline import pipeline, without_instants


@pytest.fixture(scope="module", autouse=True)
def _small_and_no_disk() -> Iterator[None]:
    """What is written need not outlive the machine here, and cuts come often, as seconds do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda _: None)
        patched.setattr(keeping, "PAUSES_APART", 0)
        patched.setattr(keeping, "AHEAD_S", 2.0)
        patched.setattr(AlertRaiser.__init__, "__defaults__", (4_096,))
        yield


@pytest.fixture(scope="module")
def tables() -> AmlTables:
    return AmlWorld(AmlWorldConfig(customers=300, laundering_share=0.02), 3).generate(3, 700)


@pytest.fixture(scope="module")
def pack() -> TypologyPack:
    return load_packs(SHIPPED)


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


def test_a_file_is_written_over_half_the_time_there_is_and_a_large_one_faster() -> None:
    mebibyte = 1 << 20
    assert keeping.rest_between(200 * mebibyte, 5.0) == pytest.approx(2.5 / 201)
    assert keeping.rest_between(5_000 * mebibyte, 5.0) == keeping.REST_S
    assert keeping.rest_between(mebibyte, 5.0) == keeping.REST_S_MAX


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


def test_a_little_is_copied_ahead_shortly_before_a_cut_and_nothing_of_what_is_being_written(
    tmp_path: Path, transfers: list[Transfer], tables: AmlTables, pack: TypologyPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(tmp_path, Log(transfers), tables, pack)
    now_ns, ahead_ns, copy_ahead = [0], list[int](), Copies.copy_ahead
    instants = range(0, 6 * EVERY_NS, EVERY_NS // 6)

    def seen(copies: Copies, followed: Sequence[Followed], most: int) -> None:
        assert worker.checkpoints._cut is None
        assert worker.checkpoints._writing is None
        ahead_ns.append(now_ns[0])
        copy_ahead(copies, followed, most)

    monkeypatch.setattr(Copies, "copy_ahead", seen)
    monkeypatch.setattr(worker.checkpoints, "_clock_ns", lambda: now_ns[0])
    worker.take_over()
    for instant in instants:
        now_ns[0] = instant
        worker.decide(20)
        worker.checkpoints.step()
        worker.deliver(10**6)
        worker.checkpoints._wait()
    worker.hand_over()
    worker.die(0)
    assert worker.counters.checkpoints == 6
    assert ahead_ns == [instant for instant in instants if instant % EVERY_NS >= EVERY_NS // 3]


def test_a_file_that_takes_too_long_is_still_of_one_instant(
    tmp_path: Path, transfers: list[Transfer], tables: AmlTables, pack: TypologyPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "WRITE_LIMIT_S", 0.01)
    released, same = Event(), []

    def slow(path: Path, kind: str, settings: Any, offsets: Any, arrays: Mapping[str, Any], rest: Any) -> None:
        before = {name: array.tobytes() for name, array in arrays.items()}
        released.wait(60)
        same.append(before == {name: array.tobytes() for name, array in arrays.items()})
        write_snapshot(path, kind, settings, offsets, arrays, rest)

    monkeypatch.setattr("scorer.aml.whole_files.write_snapshot", slow)
    worker = Worker(tmp_path, Log(transfers), tables, pack)
    worker.take_over()
    for _ in range(3):
        worker.decide(100)
        worker.deliver(10**6)
        worker.checkpoints.finish(lambda: worker.deliver(10**6))
    released.set()
    worker.die(0)
    assert same == [True] * 3


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
    monkeypatch.setattr("tests.unit.scorer.aml.dying_worker.IDENTITY", other)
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
