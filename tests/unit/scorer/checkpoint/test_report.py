"""What checkpoints say of themselves: counts, bytes, times, age, refusals."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from models.features.state import FeatureState
from scorer.checkpoint.epochs import Identity
from scorer.checkpoint.keeping import Checkpoints, Keep
from scorer.checkpoint.report import CheckpointMetrics
from scorer.counters import Counters
from tests.unit.models.features.streams import VOCABULARY, StreamShape, random_stream

IDENTITY = Identity("run.events", "run.scorer", "fraud-1", "f00d", "empty")
EVENTS = random_stream(3, StreamShape(events=120, cards=10, days=5.0, late_days_max=0.0))
S = 1_000_000_000


class Kept:
    """A worker that checkpoints every 5 s, on a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.now_ns, self.at, self.counters = 100 * S, 0, Counters()
        self.state = FeatureState.empty(VOCABULARY)
        nothing: Any = SimpleNamespace(event_edges=lambda: {0: (0, len(EVENTS))}, into=lambda *_: None)
        keep = Keep(folder, IDENTITY, 5.0)
        self.checkpoints = Checkpoints(keep, self.state, lambda: None, nothing, self.counters, lambda: self.now_ns)
        self.checkpoints.connect(dict, lambda then: then())
        self.checkpoints.start()
        self.at = self.checkpoints.restore([0])[0]

    def take(self, count: int) -> None:
        batch = self.state.code_events(EVENTS[self.at : self.at + count])
        self.checkpoints.before(batch.card)
        self.state.compute(batch)
        offsets = range(self.at, self.at + count)
        self.checkpoints.took(batch.card, range(count), [0] * count, offsets)
        self.at += count

    def later(self, seconds: float) -> None:
        """So much later, with a checkpoint, where one is due, made to its end."""
        self.now_ns += round(seconds * S)
        self.checkpoints.step()
        while self.checkpoints.busy:
            self.checkpoints.step()

    def told(self, name: str, **labels: str) -> float | None:
        registry = CollectorRegistry()
        registry.register(CheckpointMetrics(self.counters, lambda: self.now_ns))
        return registry.get_sample_value(f"riskbench_{name}", labels)


@pytest.fixture
def made(tmp_path: Path) -> Callable[[], Kept]:
    return lambda: Kept(tmp_path)


def test_what_is_written_is_counted(made: Callable[[], Kept], tmp_path: Path) -> None:
    kept = made()
    for _ in range(3):
        kept.take(20)
        kept.later(6)
    assert kept.told("checkpoints_total") == 3
    assert kept.told("checkpoint_bytes_total") == sum(path.stat().st_size for path in tmp_path.rglob("*.changes"))
    assert kept.told("checkpoint_seconds_count") == 3
    assert kept.told("checkpoint_refused_total") == kept.told("checkpoint_failed_cards_total") == 0
    kept.checkpoints.close()


def test_the_age_grows_only_while_the_disk_lacks_something(made: Callable[[], Kept]) -> None:
    kept = made()
    kept.take(20)
    kept.later(6)
    assert kept.told("checkpoint_age_seconds") == 0
    kept.take(20)
    kept.later(4)
    assert kept.told("checkpoint_age_seconds") == 4
    kept.later(2)
    assert kept.told("checkpoint_age_seconds") == 0
    for _ in range(10):  # an idle hour
        kept.later(360)
    assert kept.told("checkpoint_age_seconds") == 0
    kept.checkpoints.close()


def test_an_age_grows_while_nothing_can_be_written(made: Callable[[], Kept], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = made()
    kept.take(20)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scorer.checkpoint.chain.write_snapshot", full)
    for _ in range(3):
        kept.later(6)
    assert kept.told("checkpoint_age_seconds") == 18
    assert kept.told("checkpoints_total") == 0
    failed = kept.told("checkpoint_failed_cards_total")
    assert failed is not None
    assert failed > 0
    kept.checkpoints.close()


def test_a_damaged_file_is_counted_by_who_finds_it(made: Callable[[], Kept], tmp_path: Path) -> None:
    first = made()
    for _ in range(2):
        first.take(20)
        first.later(6)
    first.checkpoints.close()
    newest = max(tmp_path.rglob("*.changes"))
    newest.write_bytes(newest.read_bytes()[:-9])
    second = made()
    assert second.told("checkpoint_refused_total") == 1
    assert second.told("restored_partitions_total") == 1
    assert second.at == 20
    second.checkpoints.close()


def test_where_none_are_kept_there_is_no_age() -> None:
    registry = CollectorRegistry()
    registry.register(CheckpointMetrics(Counters(), lambda: 0))
    assert registry.get_sample_value("riskbench_checkpoint_age_seconds") is None
