"""What the guards cost: breaker, thread hop, both; beside pybreaker's own call and a thread pool."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybreaker
import pytest
from numpy.typing import NDArray

from models.features.catalog import FEATURES
from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.bulkhead import Callee
from scorer.guarded_model import GuardedModel
from scorer.time_limit import TimeLimited

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


def test_breaker_of_pybreaker(benchmark: Any) -> None:
    benchmark(pybreaker.CircuitBreaker().call, score, VALUES)


def test_open_breaker(benchmark: Any) -> None:
    guard = breaker()
    guard.force_open()
    assert benchmark(guard.acquire) is None


def test_time_limit(benchmark: Any, limited: TimeLimited[Any, Output]) -> None:
    benchmark(limited.call, VALUES)


def test_time_limit_of_a_thread_pool(benchmark: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        benchmark(lambda: pool.submit(score, VALUES).result(timeout=2.0))


def test_guarded_model(benchmark: Any, guarded: GuardedModel) -> None:
    benchmark(guarded.score, VALUES)


def test_the_hop_costs_no_more_than_a_thread_pools(limited: TimeLimited[Any, Output]) -> None:
    """Both hop once there and once back; taken in turns, because the scheduler's mood is most of either."""
    with ThreadPoolExecutor(1) as pool:
        ours, theirs = [], []
        for _ in range(20):
            ours.append(seconds(lambda: limited.call(VALUES)))
            theirs.append(seconds(lambda: pool.submit(score, VALUES).result(timeout=2.0)))
    assert min(ours) < 2 * min(theirs)


def seconds(function: Callable[[], Any], calls: int = 200) -> float:
    begin = time.perf_counter()
    for _ in range(calls):
        function()
    return time.perf_counter() - begin
