"""A worker for transfers that is killed decides and raises what an uninterrupted one does: each once, and the same."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streams.brokers import Broker
from streams.brokers.clients import producer
from streams.brokers.connection import KafkaConnection
from streams.codec import decode_alert, decode_dead_letter, decode_decision, decode_explanation, encode_events
from streams.topics import Topics
from tests.contract.interrupted import Follower, Supervised
from tests.contract.scorer_process import READY_LIMIT_S, Reader, essence, explained, fresh_topics, start
from tests.transfer_case import TransferCase

MALFORMED = (10, 500, 501, 900)
EVERY = 40
"""Rows sent between two instants at which something may happen."""
SLICES = 5
"""Streams over which the kills are spread: each can be run by name (`-k kills_at_random and 3`)."""

pytestmark = [pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Answers:
    """What was said: by event, and the alerts in their order."""

    decisions: dict[str, dict[str, Any]]
    explanations: dict[str, dict[str, Any]]
    alerts: list[dict[str, Any]]


def decided(values: list[bytes]) -> dict[str, dict[str, Any]]:
    decisions = [decode_decision(value) for value in values]
    found = {each.event_id: essence(each) | {"customers": each.customers} for each in decisions}
    assert len(found) == len(decisions), f"{len(decisions) - len(found)} transfers were decided twice"
    return found


def told(values: list[bytes]) -> dict[str, dict[str, Any]]:
    explanations = [decode_explanation(value) for value in values]
    found = {each.event_id: explained(each) for each in explanations}
    assert len(found) == len(explanations), f"{len(explanations) - len(found)} decisions were explained twice"
    return found


def raised(values: list[bytes]) -> list[dict[str, Any]]:
    alerts = [decode_alert(value) for value in values]
    ids = {alert.alert_id for alert in alerts}
    assert len(ids) == len(alerts), f"{len(alerts) - len(ids)} alerts were raised twice"
    return [{name: getattr(alert, name) for name in alert.__struct_fields__} for alert in alerts]


def files_of(case: TransferCase) -> list[str]:
    return [
        "--domain", "aml", "--bundle", str(case.bundle), "--rules", str(case.rules), "--state", str(case.state),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def expected(transfers: TransferCase, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What the in-process engine, which nothing interrupts, answers."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    outs = [folder / f"{name}.jsonl" for name in ("decisions", "explanations", "alerts")]
    options = [
        "--engine", "inprocess", *files_of(transfers), "--events", str(transfers.events_file),
        "--decisions-out", str(outs[0]), "--explanations-out", str(outs[1]), "--alerts-out", str(outs[2]),
    ]  # fmt: skip
    process = start(folder, "inprocess", options)
    assert process.child.wait(180) == 0, process.log.read_text()
    decisions, explanations, alerts = (out.read_bytes().splitlines() for out in outs)
    found = Answers(decided(decisions), told(explanations), raised(alerts))
    assert len(found.decisions) == len(transfers.stream) - transfers.repeated
    assert len(found.alerts) > 5
    assert len(found.explanations) > 5
    return found


@contextmanager
def supervised(
    folder: Path, case: TransferCase, connection: KafkaConnection, topics: Topics, every_s: float
) -> Iterator[Supervised]:
    """A worker that keeps checkpoints, ready."""
    options = [
        "--engine", "native", *files_of(case),
        "--bootstrap-servers", connection.bootstrap_servers, "--prefix", topics.prefix,
        "--checkpoint-dir", str(folder / "checkpoints"), "--checkpoint-every-s", str(every_s),
    ]  # fmt: skip
    worker = Supervised(folder, "worker-0", options)
    try:
        worker.start().await_ready()
        yield worker
    finally:
        worker.end()


def send_slowly(
    case: TransferCase, connection: KafkaConnection, topics: Topics, between: Callable[[int], None]
) -> None:
    """Send the stream, with messages that are none; after each `EVERY` rows `between` is called with the rows sent."""
    sender = producer(connection)
    for row, value in enumerate(encode_events(case.stream)):
        if row in MALFORMED:
            sender.produce(topics.events, b'{"event_id": "no transfer"')
        sender.produce(topics.events, value)
        if row % EVERY == EVERY - 1:
            sender.flush(30)
            between(row + 1)
    assert sender.flush(30) == 0


def check(expected: Answers, connection: KafkaConnection, topics: Topics) -> None:
    decisions = decided(Reader(connection, topics.decisions).read(len(expected.decisions)))
    assert set(decisions) == set(expected.decisions), f"{len(expected.decisions) - len(decisions)} transfers were lost"
    for event_id, decision in decisions.items():
        assert decision == expected.decisions[event_id]
    assert raised(Reader(connection, topics.alerts).read(len(expected.alerts))) == expected.alerts
    assert told(Reader(connection, topics.explanations).read(len(expected.explanations))) == expected.explanations
    letters = [decode_dead_letter(value) for value in Reader(connection, topics.dead_letter).read(len(MALFORMED))]
    assert len(letters) == len(MALFORMED) == len({letter.offset for letter in letters})


def await_checkpoint(folder: Path) -> None:
    """Until there is a first one: what comes of a worker without is another matter."""
    limit = time.monotonic() + READY_LIMIT_S
    while not list(folder.glob("checkpoints/*/0/*/*.whole")):
        assert time.monotonic() < limit
        time.sleep(0.02)


def interrupted(
    case: TransferCase, connection: KafkaConnection, folder: Path, expected: Answers, *, kills: int, seed: int
) -> Supervised:
    """Stream with `kills` SIGKILLs of the worker at random instants, and check what came."""
    rng = random.Random(seed)
    instants = set(rng.sample(range(5 * EVERY, len(case.stream), EVERY), kills))
    folder.mkdir()
    with (
        fresh_topics(connection, 1, "aml") as topics,
        supervised(folder, case, connection, topics, every_s=0.1) as worker,
        Follower(connection, topics.decisions) as follower,
    ):

        def between(rows: int) -> None:
            follower.until(rows * 3 // 4, 1.0)
            if rows in instants:
                await_checkpoint(folder)
                follower.until(follower.count + rng.randrange(EVERY), rng.random())
                worker.kill()
                worker.start()
                if rng.random() < 0.8:  # else it may be killed again before it has begun
                    follower.until(rows * 3 // 4, READY_LIMIT_S)

        send_slowly(case, connection, topics, between)
        follower.until(len(expected.decisions), READY_LIMIT_S)
        check(expected, connection, topics)
        assert worker.process is not None
        last = worker.process.stop()
        assert last["checkpoint_failed"] == last["checkpoint_refused"] == 0
        assert last["taken"] == last["decided"] + last["repeated"] + last["replayed"]
        assert last["restored"] == 1
    return worker


@pytest.mark.broker("embedded")
def test_a_killed_worker_for_transfers_goes_on_as_if_nothing_had_been(
    transfers: TransferCase, expected: Answers, broker_embedded: Broker, tmp_path: Path
) -> None:
    interrupted(transfers, broker_embedded.connection, tmp_path / "run", expected, kills=2, seed=7)


@pytest.mark.slow
@pytest.mark.broker("apache")
@pytest.mark.parametrize("seed", range(SLICES))
def test_kills_at_random_instants_change_nothing(
    transfers: TransferCase, expected: Answers, broker_apache: Broker, tmp_path: Path, seed: int
) -> None:
    worker = interrupted(transfers, broker_apache.connection, tmp_path / "run", expected, kills=5, seed=seed)
    assert worker.starts - 1 == 5
