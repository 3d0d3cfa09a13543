"""Stage two by itself: one row and a micro-batch through the graph, beside the bare onnxruntime session."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from benchmarks.by_turns import by_turns, note_rate
from models.bundle import Bundle
from models.onnx_model import OnnxModel, session_options

BATCH = 256
Rows = NDArray[np.float32]
SCORE_MAX = {1: (1.6, 2.2), BATCH: (1.6, 2.0)}
BATCH_MAX = 0.4


@pytest.mark.parametrize("count", [1, BATCH])
def test_score(benchmark: Any, bundle: Bundle, rows: Rows, count: int) -> None:
    model = OnnxModel(bundle)
    benchmark(model.score, rows[:count])
    note_rate(benchmark, "rows", count)


@pytest.mark.parametrize(("count", "rounds"), [(1, 500), (BATCH, 300)])
def test_a_score_costs_little_more_than_the_session(bundle: Bundle, rows: Rows, count: int, rounds: int) -> None:
    model = OnnxModel(bundle)
    session = onnxruntime.InferenceSession(bundle.graph, session_options(), providers=["CPUExecutionProvider"])
    some = rows[:count]
    turns = by_turns(lambda _: model.score(some), lambda _: session.run(None, {"features": some}), rounds)
    turns.hold("onnxruntime alone", *SCORE_MAX[count])


def test_a_batch_is_cheaper_than_its_rows_one_by_one(bundle: Bundle, rows: Rows) -> None:
    model = OnnxModel(bundle)
    each = [rows[row : row + 1] for row in range(BATCH)]
    turns = by_turns(lambda _: model.score(rows[:BATCH]), lambda _: [model.score(row) for row in each], rounds=30)
    turns.hold("its rows one by one", BATCH_MAX)
