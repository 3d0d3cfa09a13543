"""What keeping checkpoints costs the decisions: the same micro-batches with and without, by turns in one process.

A turn is the stream of one checkpoint at the defaults: 5 s at 500 events a second, in micro-batches of eight; all its
2,000 cards have changed. One of two pipelines of the same model keeps checkpoints, the other does not; both go through
the turn batch by batch, so that what neighbours on the machine add falls on both. Printed with `--log-cli-level=info`.
"""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.traffic import events
from models.bundle import Bundle
from models.features.state import FeatureState
from models.onnx_model import OnnxModel
from scorer.assembly import load_rules, vocabulary_of
from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.checkpoint.epochs import Identity
from scorer.checkpoint.keeping import Checkpoints, Keep
from scorer.counters import Counters
from scorer.guarded_model import GuardedModel
from scorer.guarding import abortable
from scorer.judgement import Judge
from scorer.pipeline import Parts, Pipeline
from streams.codec import encode, table_to_transactions
from streams.transaction import CardTransaction

Batches = list[list[CardTransaction]]

log = logging.getLogger("riskbench.benchmarks")

RULES = Path(__file__).parents[1] / "rules" / "fraud.yaml"
EVENTS_PER_BATCH = 8
BATCHES = 312
TURNS = 5
CARDS = 2_000
EVERY_S = 5.0
MEDIAN_MAX = 1.25
P99_MAX = 1.6
PROCESSOR_MAX = 1.7
"""Of the pipeline with checkpoints over the one without: a micro-batch's median and P99 (processor time of the thread
that decides), and all processor time of the process, the writing thread's included."""


class Deciding:
    """A pipeline; what it decides is encoded and acknowledged at once."""

    def __init__(self, bundle: Bundle, folder: Path | None) -> None:
        self.state = FeatureState.empty(vocabulary_of(bundle))
        self.counters = Counters()
        breaker = CircuitBreaker(BreakerConfig(), time.monotonic_ns)
        model = OnnxModel(bundle)
        self.guard = GuardedModel(lambda: abortable(model), breaker, time.monotonic_ns)
        judge = Judge(load_rules(RULES, bundle), self.guard, bundle.calibration, bundle.thresholds)
        parts = Parts(self.state, judge, bundle.model_version)
        self.pipeline = Pipeline(parts, clock_ns=time.monotonic_ns, worker="w", counters=self.counters)
        self.now_ns, self.offset = 0, 0
        self.checkpoints = None if folder is None else self._checkpoints(folder)

    def _checkpoints(self, folder: Path) -> Checkpoints:
        identity = Identity("run.events", "run.scorer", "fraud-1", "f00d", "empty")
        nothing: Any = SimpleNamespace(event_edges=lambda: {0: (0, 0)}, into=lambda *_: None)
        keep = Keep(folder, identity, EVERY_S)
        found = Checkpoints(keep, self.state, lambda: None, nothing, self.counters, lambda: self.now_ns)
        found.connect(dict, lambda then: then())
        found.start()
        found.restore([0])
        return found

    def decide(self, batch: list[CardTransaction]) -> None:
        """As the native engine does."""
        prepared, checkpoints = self.pipeline.prepare(batch), self.checkpoints
        if checkpoints is not None:
            checkpoints.before(prepared.columns.card)
        for decision in self.pipeline.decide(prepared, 0):
            encode(decision)
        if checkpoints is not None:
            offsets = range(self.offset, self.offset + len(batch))
            checkpoints.took(prepared.columns.card, range(len(batch)), [0] * len(batch), offsets)
            self.offset += len(batch)
            checkpoints.step()

    def rest(self) -> None:
        """What is left of a checkpoint when the turn is over."""
        while self.checkpoints is not None and self.checkpoints.busy:
            self.checkpoints.step()
            time.sleep(0.001)

    def close(self) -> None:
        if self.checkpoints is not None:
            self.checkpoints.close()
        self.guard.close()


@pytest.fixture(scope="module")
def stream() -> Batches:
    """Those of all turns, and one turn before them in which every card is met."""
    found = list(table_to_transactions(events((TURNS + 1) * BATCHES * EVENTS_PER_BATCH, CARDS)))
    return [found[at : at + EVENTS_PER_BATCH] for at in range(0, len(found), EVENTS_PER_BATCH)]


def timed(call: Callable[[], None]) -> tuple[float, float]:
    """Processor seconds of this thread, and of the whole process."""
    thread, process = time.thread_time(), time.process_time()
    call()
    return time.thread_time() - thread, time.process_time() - process


def by_batches(kept: Deciding, plain: Deciding, stream: Batches) -> NDArray[np.float64]:
    """Processor seconds of the deciding thread by turn, micro-batch and pipeline (with checkpoints, without)."""
    taken = np.empty((TURNS, BATCHES, 2))
    for turn in range(TURNS):
        kept.now_ns += round(EVERY_S * 1e9)
        for at in range(BATCHES):
            batch = stream[(turn + 1) * BATCHES + at]
            for column, each in enumerate((kept, plain)):
                taken[turn, at, column], _ = timed(lambda each=each, batch=batch: each.decide(batch))  # type: ignore[misc]
        kept.rest()
    return taken


def whole_turn(each: Deciding, part: Batches) -> float:
    """Processor seconds of the process for a turn to its end, the writing of its checkpoint included."""

    def turn() -> None:
        each.now_ns += round(EVERY_S * 1e9)
        for batch in part:
            each.decide(batch)
        each.rest()

    return timed(turn)[1]


@pytest.fixture
def pair(bundle: Bundle, tmp_path: Path) -> Iterator[tuple[Deciding, Deciding]]:
    kept, plain = Deciding(bundle, tmp_path / "checkpoints"), Deciding(bundle, None)
    yield kept, plain
    kept.close()
    plain.close()


def test_a_micro_batch_with_checkpoints_beside_one_without(pair: tuple[Deciding, Deciding], stream: Batches) -> None:
    kept, plain = pair
    for batch in stream[:BATCHES]:
        kept.decide(batch)
        plain.decide(batch)
    taken = by_batches(kept, plain, stream)
    assert kept.counters.checkpoints == TURNS
    assert kept.counters.checkpoint_failed == 0
    median = np.median(taken, axis=(0, 1))
    p99 = np.median(np.percentile(taken, 99, axis=1), axis=0)
    log.info(
        "a micro-batch of %d: median %.0f us with checkpoints, %.0f without; P99 %.0f and %.0f",
        EVENTS_PER_BATCH, *median * 1e6, *p99 * 1e6,
    )  # fmt: skip
    assert median[0] < MEDIAN_MAX * median[1], f"{median[0] / median[1]:.2f} times the median without"
    assert p99[0] < P99_MAX * p99[1], f"{p99[0] / p99[1]:.2f} times the P99 without"


def test_processor_time_with_checkpoints_beside_without(pair: tuple[Deciding, Deciding], stream: Batches) -> None:
    turns = [stream[at : at + BATCHES] for at in range(0, len(stream), BATCHES)]
    for each in pair:
        whole_turn(each, turns[0])
    taken = np.array([[whole_turn(each, part) for each in pair] for part in turns[1:]])
    with_, without = taken.min(axis=0)  # what else runs on the machine only ever adds
    written = pair[0].counters.checkpoint_bytes / pair[0].counters.checkpoints
    log.info(
        "processor time for %d events: %.0f ms with a checkpoint (%.0f KiB on average), %.0f ms without",
        BATCHES * EVENTS_PER_BATCH, with_ * 1e3, written / 1024, without * 1e3,
    )  # fmt: skip
    assert with_ < PROCESSOR_MAX * without, f"{with_ / without:.2f} times that without"
