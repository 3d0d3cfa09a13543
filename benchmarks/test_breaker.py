"""What the guards cost: breaker, thread hop, both; beside pybreaker's own call and a thread pool."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybreaker
import pytest
from numpy.typing import NDArray

from benchmarks.by_turns import by_turns, note_rate, on_one_core, repeated
from models.features.catalog import FEATURES
from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.bulkhead import Callee
from scorer.guarded_model import GuardedModel
from scorer.time_limit import TimeLimited

HOP_MAX = 1.3
PASS_MAX = {"count": (2.5, 2.8), "time": (3.2, 4.2)}
VALUES = np.zeros((16, len(FEATURES)), dtype=np.float32)


@dataclass(frozen=True)
class Output:
    margin: NDArray[np.float32]
    reconstruction_error: NDArray[np.float32]


OUTPUT = Output(np.zeros(16, dtype=np.float32), np.zeros(16, dtype=np.float32))


def score(values: NDArray[np.float32]) -> Output:
    return OUTPUT


def breaker(kind: str = "count") -> CircuitBreaker:
    config = BreakerConfig(window_kind="time", window_size=60) if kind == "time" else BreakerConfig()
    return CircuitBreaker(config, time.monotonic_ns)


def pass_through(guard: CircuitBreaker) -> None:
    permit = guard.acquire()
    if permit is not None:
        guard.record(permit, failed=False)


@pytest.fixture
def limited() -> Iterator[TimeLimited[Any, Output]]:
    made = TimeLimited(score, 2.0, time.monotonic_ns)
    yield made
    made.close()


@pytest.fixture
def guarded() -> Iterator[GuardedModel]:
    made = GuardedModel(lambda: Callee(score), breaker(), time.monotonic_ns)
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["count", "time"])
def test_breaker(benchmark: Any, kind: str) -> None:
    guard = breaker(kind)
    benchmark(pass_through, guard)
    note_rate(benchmark, "calls", 1)


def test_breaker_of_pybreaker(benchmark: Any) -> None:
    benchmark(pybreaker.CircuitBreaker().call, score, VALUES)
    note_rate(benchmark, "calls", 1)


def test_open_breaker(benchmark: Any) -> None:
    guard = breaker()
    guard.force_open()
    assert benchmark(guard.acquire) is None


def test_time_limit(benchmark: Any, limited: TimeLimited[Any, Output]) -> None:
    benchmark(limited.call, VALUES)
    note_rate(benchmark, "calls", 1)


def test_time_limit_of_a_thread_pool(benchmark: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        benchmark(lambda: pool.submit(score, VALUES).result(timeout=2.0))


def test_guarded_model(benchmark: Any, guarded: GuardedModel) -> None:
    benchmark(guarded.score, VALUES)
    note_rate(benchmark, "calls", 1)


def test_the_hop_costs_no_more_than_a_thread_pools() -> None:
    """Both hop once there and once back."""
    with on_one_core(), ThreadPoolExecutor(1) as pool:
        limited = TimeLimited(score, 2.0, time.monotonic_ns)
        turns = by_turns(
            repeated(100, lambda: limited.call(VALUES)),
            repeated(100, lambda: pool.submit(score, VALUES).result(timeout=2.0)),
            rounds=100,
        )
        limited.close()
    turns.hold("a thread pool's", HOP_MAX)


@pytest.mark.parametrize("kind", ["count", "time"])
def test_passing_costs_no_more_than_pybreakers_call(kind: str) -> None:
    """P99 too: sliding the window on is no stall."""
    guard, theirs = breaker(kind), pybreaker.CircuitBreaker()
    turns = by_turns(
        repeated(100, lambda: pass_through(guard)), repeated(100, lambda: theirs.call(score, VALUES)), rounds=300
    )
    turns.hold("pybreaker's call", *PASS_MAX[kind])
