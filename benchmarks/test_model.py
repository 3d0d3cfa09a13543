"""Stage two by itself: one row and a micro-batch through the graph, and what a reason costs beside a score."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from models.bundle import Bundle
from models.explain import Explainer
from models.onnx_model import OnnxModel

BATCH = 256
Rows = NDArray[np.float32]


def median_s(call: Callable[[], object], times: int = 30) -> float:
    """Median time of a call."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


@pytest.mark.parametrize("count", [1, BATCH])
def test_score(benchmark: Callable[..., object], bundle: Bundle, rows: Rows, count: int) -> None:
    model = OnnxModel(bundle)
    benchmark(model.score, rows[:count])


@pytest.mark.parametrize("count", [1, BATCH])
def test_reasons(benchmark: Callable[..., object], bundle: Bundle, rows: Rows, count: int) -> None:
    explainer = Explainer(bundle)
    benchmark(explainer.reasons, rows[:count], np.ones(count, dtype=np.float32), 3)


@pytest.mark.parametrize("count", [1, BATCH])
def test_contributions_per_row(benchmark: Callable[..., object], bundle: Bundle, rows: Rows, count: int) -> None:
    explainer = Explainer(bundle)
    benchmark(explainer.contributions, rows[:count], np.ones(count, dtype=np.float32))


def test_a_batch_is_cheaper_than_its_rows_one_by_one(bundle: Bundle, rows: Rows) -> None:
    model = OnnxModel(bundle)
    one, many = median_s(lambda: model.score(rows[:1])), median_s(lambda: model.score(rows[:BATCH]))
    assert many < one * BATCH / 2


def test_a_reason_costs_many_scores(bundle: Bundle, rows: Rows) -> None:
    """Why explaining is a thread of its own, and by default only for what is flagged."""
    model, explainer = OnnxModel(bundle), Explainer(bundle)
    score = median_s(lambda: model.score(rows[:BATCH]))
    reasons = median_s(lambda: explainer.contributions(rows[:BATCH], np.ones(BATCH, dtype=np.float32)), times=5)
    assert reasons > 3 * score
