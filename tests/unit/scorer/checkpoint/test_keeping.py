"""Workers that die at any instant, hand partitions over, lose them: each event is decided once, as if undisturbed."""

import logging
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.batch import Status
from models.features.state import FeatureState
from scorer.checkpoint.answered import Answered, sift
from scorer.checkpoint.changes import CARD
from scorer.checkpoint.epochs import Identity
from scorer.checkpoint.keeping import Checkpoints, Keep
from scorer.counters import Counters
from streams.errors import BadInputError
from streams.transaction import CardTransaction
from tests.unit.models.features.streams import VOCABULARY, StreamShape, random_stream

PARTITIONS = 3
TOPIC, DECISIONS = "run.events", "run.decisions"
IDENTITY = Identity(TOPIC, "run.scorer", "fraud-1", "f00d", "empty")


@pytest.fixture(scope="module", autouse=True)
def _no_disk() -> Iterator[None]:
    """What is written need not outlive the machine here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda _: None)
        yield


class Log:
    """Events by partition, and the decisions' topic as a broker keeps it."""

    def __init__(self, events: list[CardTransaction]) -> None:
        self.events: list[list[CardTransaction]] = [[] for _ in range(PARTITIONS)]
        for event in events:
            self.events[zlib.crc32(event.card_id.encode()) % PARTITIONS].append(event)
        self.decisions: list[list[tuple[str, bytes]]] = [[] for _ in range(2)]

    def append(self, event_id: str, features: bytes) -> tuple[tuple[str, int], int]:
        partition = zlib.crc32(event_id.encode()) % 2
        self.decisions[partition].append((event_id, features))
        return (DECISIONS, partition), len(self.decisions[partition])

    def event_edges(self) -> dict[int, tuple[int, int]]:
        return {partition: (0, len(events)) for partition, events in enumerate(self.events)}

    def into(self, answered: Answered, begins: Mapping[tuple[str, int], int]) -> None:
        for partition, decisions in enumerate(self.decisions):
            for event_id, _ in decisions[begins.get((DECISIONS, partition), 0) :]:
                told = {"event_id": event_id, "outcome": "approve", "path": "rules"}
                answered.add_decision(msgspec.json.encode(told))


class Worker:
    """Decides as an engine does; its answers reach the broker when `deliver` is called."""

    def __init__(self, folder: Path, log: Log, warm: Callable[[], FeatureState]) -> None:
        self.log, self.state, self.counters = log, warm(), Counters()
        ticks = iter(range(0, 10**15, 1_000_000_000))
        keep = Keep(folder, IDENTITY, 12.0)
        self.checkpoints = Checkpoints(keep, self.state, warm, log, self.counters, lambda: next(ticks))  # type: ignore[arg-type]
        self.checkpoints.connect(lambda: self.reached, self.when_acknowledged)
        self.checkpoints.start()
        self.at: dict[int, int] = {}
        self.flying: deque[Any] = deque()
        self.reached: dict[tuple[str, int], int] = {}

    def when_acknowledged(self, then: Callable[[], None]) -> None:
        self.flying.append(then)

    def take_over(self, partitions: Iterable[int]) -> None:
        self.at = self.checkpoints.restore(partitions)

    def deliver(self, count: int) -> None:
        while self.flying and count > 0:
            found = self.flying.popleft()
            if callable(found):
                found()
                continue
            position, offset = self.log.append(*found)
            self.reached[position] = offset
            count -= 1

    def decide(self, partition: int, most: int) -> None:
        start = self.at[partition]
        events = self.log.events[partition][start : start + most]
        if not events:
            return
        batch = self.state.code_events(events)
        self.checkpoints.before(batch.card)
        block = self.state.compute(batch)
        ids = [event.event_id for event in events]
        kept = np.flatnonzero(block.status != Status.REPEATED).tolist()
        for row in sift(self.checkpoints.answered, ids, kept, "none").undecided.tolist():
            self.flying.append((ids[row], block.values[row].tobytes()))
        self.at[partition] = start + len(events)
        offsets = list(range(start, start + len(events)))
        self.checkpoints.took(batch.card, range(len(events)), [partition] * len(events), offsets)

    def hand_over(self) -> None:
        self.deliver(10**6)
        self.checkpoints.finish(lambda: self.deliver(10**6))
        self.checkpoints.give_up(list(self.at))
        self.at = {}

    def lose(self, delivered: int) -> None:
        """The partitions go without a word; what was in flight may still arrive."""
        self.deliver(delivered)
        self.flying.clear()
        self.checkpoints.give_up(list(self.at))
        self.at = {}

    def die(self, delivered: int) -> None:
        self.deliver(delivered)
        self.checkpoints._writer.wait()
        self.checkpoints.close()


def uninterrupted(events: list[CardTransaction], state: FeatureState) -> dict[str, bytes]:
    block = state.compute(state.code_events(events))
    kept = np.flatnonzero(block.status != Status.REPEATED).tolist()
    return {events[row].event_id: block.values[row].tobytes() for row in kept}


def warm_from(events: list[CardTransaction]) -> Callable[[], FeatureState]:
    def warm() -> FeatureState:
        state = FeatureState.empty(VOCABULARY)
        state.compute(state.code_events(events))
        return state

    return warm


@settings(max_examples=12)
@given(seed=st.integers(0, 100_000), workers=st.integers(1, 2), calm=st.integers(2, 30))
def test_every_event_is_decided_once_and_the_same(
    tmp_path_factory: pytest.TempPathFactory, seed: int, workers: int, calm: int
) -> None:
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("checkpoints")
    events = random_stream(seed, StreamShape(events=260, cards=14, days=25.0, late_days_max=3.0))
    warm = warm_from(events[:60])
    log = Log(events[60:])
    system = [Worker(folder, log, warm) for _ in range(workers)]

    def share() -> None:
        for number, worker in enumerate(system):
            worker.take_over([each for each in range(PARTITIONS) if each % workers == (number + shift) % workers])

    shift, left = 0, 12
    share()
    while any(worker.at.get(each, 0) < len(log.events[each]) for worker in system for each in worker.at) or any(
        worker.flying for worker in system
    ):
        worker = system[int(rng.integers(workers))]
        if worker.at:
            worker.decide(int(rng.choice(list(worker.at))), int(rng.integers(1, 8)))
        worker.checkpoints.step()
        worker.deliver(int(rng.integers(0, 6)))
        if left and rng.integers(calm) == 0:
            left -= 1
            shift = int(rng.integers(workers))
            _interrupt(system, rng, folder, log, warm)
            share()
    for worker in system:
        worker.die(10**6)
    decided = [found for part in log.decisions for found in part]
    counts = Counter(event_id for event_id, _ in decided)
    assert not [event_id for event_id, count in counts.items() if count > 1]
    assert dict(decided) == uninterrupted(events[60:], warm())


def _interrupt(system: list[Worker], rng: np.random.Generator, folder: Path, log: Log, warm: Any) -> None:
    """One worker dies or loses everything, the others hand over, as in a rebalance."""
    chosen, dies = int(rng.integers(len(system))), rng.random() < 0.7
    for number, worker in enumerate(system):
        if number != chosen:
            worker.hand_over()
        elif dies:
            worker.die(int(rng.integers(0, 12)))
            system[number] = Worker(folder, log, warm)
        else:
            worker.lose(int(rng.integers(0, 12)))


@pytest.mark.parametrize("partitions", [[1, 1, 1, 1], [0, 1, 0, 1]])
def test_what_was_taken_together_is_kept_by_its_partitions(tmp_path: Path, partitions: list[int]) -> None:
    worker = Worker(tmp_path, Log([]), warm_from([]))
    worker.take_over(range(PARTITIONS))
    cards = worker.state.codes_of(CARD, ["a", "b", "c"])
    worker.checkpoints.took(cards, [0, 2, 3], partitions, [7, 8, 8, 9] if partitions[0] else [7, 3, 8, 4])
    ends = {1: 10} if partitions[0] else {0: 9, 1: 5}
    for partition, end in ends.items():
        assert not worker.checkpoints.expects(partition, end - 1)
        assert worker.checkpoints.expects(partition, end)
    for partition in range(PARTITIONS):
        kept = worker.checkpoints._cutting.cards_of(partition).tolist()
        assert kept == [cards[at] for at, place in enumerate([0, 2, 3]) if partitions[place] == partition]
    worker.die(0)


def test_a_checkpoint_beyond_the_stream_is_refused(tmp_path: Path) -> None:
    events = random_stream(1, StreamShape(events=50, days=25.0))
    warm = warm_from([])
    first = Worker(tmp_path, Log(events), warm)
    first.take_over(range(PARTITIONS))
    for partition in range(PARTITIONS):
        first.decide(partition, 100)
    first.hand_over()
    first.die(0)
    second = Worker(tmp_path, Log(events[:5]), warm)
    with pytest.raises(BadInputError, match=r"is not the stream that it was made of; start with another"):
        second.take_over(range(PARTITIONS))
    second.die(0)


def test_a_full_disk_costs_a_checkpoint_and_no_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    events = random_stream(2, StreamShape(events=120, days=25.0, late_days_max=3.0))
    log = Log(events)
    worker = Worker(tmp_path, log, warm_from([]))
    worker.take_over(range(PARTITIONS))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr("scorer.checkpoint.chain.write_snapshot", full)
        for partition in range(PARTITIONS):
            worker.decide(partition, 20)
        worker.hand_over()
        assert worker.counters.checkpoint_failed > 0
    assert "No space left on device; the one before counts" in caplog.text
    worker.take_over(range(PARTITIONS))
    for partition in range(PARTITIONS):
        worker.decide(partition, 1_000)
    worker.hand_over()
    worker.die(0)
    decided = [found for part in log.decisions for found in part]
    assert dict(decided) == uninterrupted(events, FeatureState.empty(VOCABULARY))
    assert len(decided) == len(dict(decided))
