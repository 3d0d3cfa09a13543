"""What a checkpoint costs the thread that decides: a step of a cut, and the marks of every micro-batch."""

import statistics
import time

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.test_feature_kernel import VOCABULARY, batch_of
from models.features.state import FeatureState
from scorer.checkpoint.cutting import Cutting
from scorer.checkpoint.keeping import CARDS_PER_STEP

EVENTS_PER_CARD = 30


def filled(cards: int) -> tuple[FeatureState, Cutting]:
    """A state of this many cards, all changed since the last cut."""
    state = FeatureState.empty(VOCABULARY)
    batch = batch_of(state, EVENTS_PER_CARD * cards, 20.0, cards)
    state.compute(batch)
    cutting = Cutting(state)
    cutting.touched(np.arange(cards, dtype=np.int32), np.zeros(cards, np.int32))
    return state, cutting


def step_s(cards: int) -> float:
    """Median time of one step, with the first one, which finds the kernel cold, left out."""
    _, cutting = filled(cards)
    cutting.begin()
    found, done = [], False
    while not done:
        begin = time.perf_counter()
        done = cutting.copy(CARDS_PER_STEP)
        found.append(time.perf_counter() - begin)
    return statistics.median(found[1:])


def test_a_step_costs_the_same_however_many_cards_there_are() -> None:
    assert min(step_s(40_000) for _ in range(3)) < 5 * min(step_s(2_000) for _ in range(3))


@pytest.mark.parametrize("cards", [2_000, 40_000])
def test_all_at_once(benchmark: BenchmarkFixture, cards: int) -> None:
    """What the steps are for: a micro-batch would wait this long."""
    _, cutting = filled(cards)

    def whole() -> None:
        cutting.begin()
        while not cutting.copy(CARDS_PER_STEP):
            pass
        cutting.put_back(cutting.take())

    benchmark.pedantic(whole, rounds=5, warmup_rounds=1)  # type: ignore[no-untyped-call]


def test_marks_of_a_micro_batch(benchmark: BenchmarkFixture) -> None:
    """Paid by every micro-batch: eight events."""
    _, cutting = filled(2_000)
    cards, partitions = np.arange(8, dtype=np.int32), np.zeros(8, np.int32)

    def marks() -> None:
        cutting.before(cards)
        cutting.touched(cards, partitions)

    benchmark(marks)
