"""Exact contributions beside XGBoost's own call, on the same trees and rows: what naming the reasons adds to it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from benchmarks.by_turns import by_turns, note_rate
from models.boosting import load_trees
from models.bundle import Bundle
from models.explain import Explainer
from models.onnx_model import OnnxModel

BATCH = 64
Rows = NDArray[np.float32]
CONTRIBUTIONS_MAX = 1.5
SCORE_MAX = 0.027
REASONS_MAX: dict[int, tuple[float, ...]] = {1: (2.3, 3.0), BATCH: (1.6,)}


def alone(bundle: Bundle, values: Rows, errors: Rows) -> Callable[[Any], object]:
    """XGBoost by itself, the rows already a matrix of its own."""
    booster = load_trees(bundle.booster)
    matrix = xgboost.DMatrix(np.column_stack([values, errors]), missing=np.nan, nthread=1)
    return lambda _: booster.predict(matrix, pred_contribs=True, strict_shape=False)


@pytest.mark.parametrize("count", [1, BATCH])
def test_contributions(benchmark: Any, bundle: Bundle, rows: Rows, count: int) -> None:
    explainer = Explainer(bundle)
    benchmark(explainer.contributions, rows[:count], np.ones(count, np.float32))
    note_rate(benchmark, "rows", count)


@pytest.mark.parametrize("count", [1, BATCH])
def test_reasons(benchmark: Any, bundle: Bundle, rows: Rows, count: int) -> None:
    explainer = Explainer(bundle)
    benchmark(explainer.reasons, rows[:count], np.ones(count, np.float32), 3)
    note_rate(benchmark, "rows", count)


@pytest.mark.parametrize(("count", "rounds"), [(1, 500), (BATCH, 30)])
def test_reasons_cost_little_beside_the_contributions(bundle: Bundle, rows: Rows, count: int, rounds: int) -> None:
    explainer, values, errors = Explainer(bundle), rows[:count], np.ones(count, np.float32)
    turns = by_turns(lambda _: explainer.reasons(values, errors), alone(bundle, values, errors), rounds)
    turns.hold("XGBoost alone", *REASONS_MAX[count])


def test_contributions_are_xgboosts_and_little_more(bundle: Bundle, rows: Rows) -> None:
    explainer, values, errors = Explainer(bundle), rows[:BATCH], np.ones(BATCH, np.float32)
    turns = by_turns(lambda _: explainer.contributions(values, errors), alone(bundle, values, errors), 30)
    turns.hold("XGBoost alone", CONTRIBUTIONS_MAX)


def test_contributions_cost_many_scores(bundle: Bundle, rows: Rows) -> None:
    """Why explaining is a thread of its own, and by default only for what is flagged."""
    model, explainer, errors = OnnxModel(bundle), Explainer(bundle), np.ones(BATCH, np.float32)
    turns = by_turns(
        lambda _: model.score(rows[:BATCH]), lambda _: explainer.contributions(rows[:BATCH], errors), rounds=20
    )
    turns.hold("the contributions", SCORE_MAX)
