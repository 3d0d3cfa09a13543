"""A run that is interrupted decides what an uninterrupted one decides: every event once, the same score to the bit."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models.features.table_messages import decode_part
from streams.brokers import Broker
from streams.brokers.connection import KafkaConnection
from streams.codec import decode_dead_letter, decode_decision, decode_explanation
from streams.fault_control import FaultSwitch, ModelFault
from streams.topics import Topics
from tests.contract.interrupted import Follower, Supervised, stream_slowly
from tests.contract.scorer_process import READY_LIMIT_S, Reader, essence, explained, fresh_topics, start, system_options
from tests.scorer_case import ScorerCase

MALFORMED = (10, 300, 301, 620)
PARTITIONS = 3
EVERY = 40
"""Rows sent between two instants at which something may happen."""
SESSION_S, TAKE_OVER_S = 10.0, 30.0
"""When a group gives a silent worker's partitions away, and how long its heir may take to answer for them."""
SLICES = 10
"""Streams over which the fifty kills are spread: each can be run by name (`-k native-3`)."""


@dataclass(frozen=True)
class Answers:
    """What was said, by event."""

    decisions: dict[str, dict[str, Any]]
    explanations: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def expected(case: ScorerCase, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What the in-process engine, which nothing interrupts, answers."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    out, explanations = folder / "decisions.jsonl", folder / "explanations.jsonl"
    options = [
        "--engine", "inprocess", "--bundle", str(case.bundle), "--rules", str(case.rules), "--state", str(case.state),
        "--events", str(case.events_file), "--dispositions", str(case.dispositions_file),
        "--decisions-out", str(out), "--explanations-out", str(explanations),
    ]  # fmt: skip
    process = start(folder, "inprocess", options)
    assert process.child.wait(120) == 0, process.log.read_text()
    return Answers(decided(out.read_bytes().splitlines()), told(explanations.read_bytes().splitlines()))


def decided(values: list[bytes]) -> dict[str, dict[str, Any]]:
    decisions = [decode_decision(value) for value in values]
    found = {decision.event_id: essence(decision) for decision in decisions}
    assert len(found) == len(decisions), f"{len(decisions) - len(found)} events were decided twice"
    return found


def told(values: list[bytes]) -> dict[str, dict[str, Any]]:
    explanations = [decode_explanation(value) for value in values]
    found = {explanation.event_id: explained(explanation) for explanation in explanations}
    assert len(found) == len(explanations), f"{len(explanations) - len(found)} decisions were explained twice"
    return found


@contextmanager
def supervised(
    folder: Path,
    case: ScorerCase,
    connection: KafkaConnection,
    topics: Topics,
    *,
    engine: str,
    workers: int,
    every_s: float = 0.3,
    extra: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[dict[str, Supervised]]:
    """The nightly job and workers that keep checkpoints, all ready; `extra` options by a worker's name."""
    options = system_options(case, connection, topics)
    keep = ["--checkpoint-dir", str(folder / "checkpoints"), "--checkpoint-every-s", str(every_s)]
    roles = {"nightly": ["--role", "nightly", *options]}
    roles |= {f"worker-{n}": ["--engine", engine, *options, *keep] for n in range(workers)}
    for name, options_more in (extra or {}).items():
        roles[name] = [*roles[name], *options_more]
    with ExitStack() as stack:
        found = {name: Supervised(folder, name, told) for name, told in roles.items()}
        for each in found.values():
            each.start()
            stack.callback(each.end)
        for each in found.values():
            assert each.process is not None
            each.process.await_ready()
        yield found


def check(case: ScorerCase, expected: Answers, connection: KafkaConnection, topics: Topics) -> None:
    decisions = decided(Reader(connection, topics.decisions).read(len(expected.decisions)))
    assert set(decisions) == set(expected.decisions), f"{len(expected.decisions) - len(decisions)} events were lost"
    for event_id, decision in decisions.items():
        assert decision == expected.decisions[event_id]
    explanations = told(Reader(connection, topics.explanations).read(len(expected.explanations)))
    assert explanations == expected.explanations
    letters = [decode_dead_letter(value) for value in Reader(connection, topics.dead_letter).read(len(MALFORMED))]
    assert len(letters) == len(MALFORMED) == len({(letter.partition, letter.offset) for letter in letters})


def interrupted(
    case: ScorerCase,
    connection: KafkaConnection,
    folder: Path,
    expected: Answers,
    *,
    engine: str,
    kills: int,
    seed: int,
) -> Supervised:
    """Stream with `kills` SIGKILLs of the one worker at random instants, and check what came."""
    rng = random.Random(seed)
    instants = set(rng.sample(range(EVERY, len(case.stream), EVERY), kills))
    folder.mkdir()
    with (
        fresh_topics(connection, PARTITIONS) as topics,
        supervised(folder, case, connection, topics, engine=engine, workers=1) as system,
        Follower(connection, topics.decisions) as follower,
    ):
        worker = system["worker-0"]

        def between(rows: int) -> None:
            follower.until(rows * 3 // 4, 1.0)
            if rows in instants:
                follower.until(follower.count + rng.randrange(EVERY), rng.random())
                worker.kill()
                worker.start()
                if rng.random() < 0.8:  # else it may be killed again before it has begun
                    follower.until(rows * 3 // 4, READY_LIMIT_S)

        stream_slowly(case, connection, topics, every=EVERY, between=between, malformed=MALFORMED)
        follower.until(len(expected.decisions))
        check(case, expected, connection, topics)
        assert worker.process is not None
        last = worker.process.stop()
        assert last["checkpoint_failed"] == 0
        assert last["taken"] == last["decided"] + last["repeated"] + last["replayed"]
    return worker


@pytest.mark.broker("embedded")
@pytest.mark.parametrize("engine", ["native", pytest.param("faust", marks=pytest.mark.slow)])
def test_a_killed_worker_goes_on_as_if_nothing_had_been(
    case: ScorerCase, expected: Answers, broker_embedded: Broker, tmp_path: Path, engine: str
) -> None:
    interrupted(case, broker_embedded.connection, tmp_path / "run", expected, engine=engine, kills=2, seed=7)


@pytest.mark.broker("apache")
@pytest.mark.parametrize("engine", [pytest.param("native", marks=pytest.mark.slow), "faust"])
def test_partitions_take_their_state_along_when_their_worker_dies(
    case: ScorerCase, expected: Answers, broker_apache: Broker, tmp_path: Path, engine: str
) -> None:
    connection = broker_apache.connection
    half = len(case.stream) // 2 // EVERY * EVERY
    with (
        fresh_topics(connection, PARTITIONS) as topics,
        supervised(tmp_path, case, connection, topics, engine=engine, workers=2) as system,
        Follower(connection, topics.decisions) as follower,
    ):
        dies, stays = system["worker-0"], system["worker-1"]

        def between(rows: int) -> None:
            follower.until(rows * 3 // 4, 1.0)
            if rows == half:
                dies.kill()

        stream_slowly(case, connection, topics, every=EVERY, between=between, malformed=MALFORMED)
        follower.until(len(expected.decisions))
        check(case, expected, connection, topics)
        assert stays.process is not None
        last = stays.process.stop()
        assert last["decided"] + last["replayed"] > 0
        assert last["restored"] > 0


@pytest.mark.slow
@pytest.mark.broker("embedded")
def test_a_killed_nightly_job_publishes_no_table_twice(
    case: ScorerCase, expected: Answers, broker_embedded: Broker, tmp_path: Path
) -> None:
    connection = broker_embedded.connection
    with (
        fresh_topics(connection, PARTITIONS) as topics,
        supervised(tmp_path, case, connection, topics, engine="native", workers=1) as system,
        Follower(connection, topics.decisions) as follower,
    ):
        nightly = system["nightly"]

        def between(rows: int) -> None:
            follower.until(rows * 3 // 4, 1.0)
            if rows in (EVERY * 8, EVERY * 14):
                nightly.kill()
                nightly.start()

        stream_slowly(case, connection, topics, every=EVERY, between=between, malformed=MALFORMED)
        follower.until(len(expected.decisions))
        check(case, expected, connection, topics)
        parts = Counter(decode_part(value).key for value in Reader(connection, topics.day_tables).read(3))
        assert len(parts) >= 3
        assert set(parts.values()) == {1}


@pytest.mark.slow
@pytest.mark.broker("apache")
@pytest.mark.parametrize("seed", range(SLICES))
@pytest.mark.parametrize("engine", ["native", "faust"])
def test_fifty_kills_at_random_instants_change_nothing(
    case: ScorerCase, expected: Answers, broker_apache: Broker, tmp_path: Path, engine: str, seed: int
) -> None:
    kills = 50 // SLICES
    folder = tmp_path / "run"
    worker = interrupted(case, broker_apache.connection, folder, expected, engine=engine, kills=kills, seed=seed)
    assert worker.starts - 1 == kills


@pytest.mark.broker("embedded")
def test_a_damaged_checkpoint_is_refused_and_the_one_before_goes_on(
    case: ScorerCase, expected: Answers, broker_embedded: Broker, tmp_path: Path
) -> None:
    connection = broker_embedded.connection
    half = len(case.stream) // 2 // EVERY * EVERY
    with (
        fresh_topics(connection, PARTITIONS) as topics,
        supervised(tmp_path, case, connection, topics, engine="native", workers=1) as system,
        Follower(connection, topics.decisions) as follower,
    ):
        worker = system["worker-0"]

        def between(rows: int) -> None:
            follower.until(rows * 3 // 4, 1.0)
            if rows == half:
                follower.until(rows, 2.0)
                worker.kill()
                newest = [max(epoch.glob("*.changes")) for epoch in tmp_path.glob("checkpoints/*/*/000001")]
                assert len(newest) == PARTITIONS
                for path in newest:
                    content = bytearray(path.read_bytes())
                    content[len(content) // 2] ^= 4
                    path.write_bytes(content)
                worker.start()

        stream_slowly(case, connection, topics, every=EVERY, between=between, malformed=MALFORMED)
        follower.until(len(expected.decisions))
        check(case, expected, connection, topics)
        assert worker.logs().count("checkpoint refused") == PARTITIONS


@pytest.mark.slow
@pytest.mark.broker("apache")
@pytest.mark.parametrize("engine", ["native", "faust"])
def test_a_worker_that_stood_still_gives_up_the_batch_it_had_in_hand(
    case: ScorerCase, expected: Answers, broker_apache: Broker, tmp_path: Path, engine: str
) -> None:
    connection = broker_apache.connection
    half = len(case.stream) // 2 // EVERY * EVERY
    switch = FaultSwitch(tmp_path / "switch")
    hangs = ["--fault-control", str(switch.path), "--breaker-limit-kind", "hard", "--breaker-time-limit-ms", "60000"]
    with (
        fresh_topics(connection, PARTITIONS) as topics,
        supervised(tmp_path, case, connection, topics, engine=engine, workers=2, extra={"worker-0": hangs}) as system,
        Follower(connection, topics.decisions) as follower,
    ):
        stands, goes_on = system["worker-0"], system["worker-1"]
        assert stands.process is not None
        pid = stands.process.child.pid

        def between(rows: int) -> None:
            if rows < half:
                follower.until(rows * 3 // 4, 1.0)
            elif rows == half:
                switch.set(ModelFault(kind="hang"))
            elif rows == half + 3 * EVERY:
                time.sleep(1.0)  # by now it is in a call that does not come back
                os.kill(pid, signal.SIGSTOP)

        stream_slowly(case, connection, topics, every=EVERY, between=between, malformed=MALFORMED)
        assert follower.until(len(expected.decisions), SESSION_S + TAKE_OVER_S)
        switch.set(None)
        os.kill(pid, signal.SIGCONT)
        time.sleep(5.0)  # what it has in hand would be out by now
        check(case, expected, connection, topics)
        assert goes_on.process is not None
        assert goes_on.process.stop()["restored"] > 0
        last = stands.process.stop()
        assert last["given_up"] > 0
        assert last["taken"] == last["decided"] + last["repeated"] + last["replayed"]
    switch.close()
