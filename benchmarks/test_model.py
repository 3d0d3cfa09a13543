"""Stage two by itself: one row and a micro-batch through the graph, and what a reason costs beside a score."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.autoencoder import AutoencoderSettings
from models.boosting import BoostingSettings
from models.bundle import Bundle
from models.explain import Explainer
from models.features.batch import Vocabulary
from models.features.catalog import FEATURES
from models.fitting import FitSettings, fit_model
from models.imbalance import ImbalanceSettings
from models.onnx_model import OnnxModel
from models.packing import describe, save_fitted
from models.settings import TrainSettings
from models.training_data import LabelledHistory, TimeSplit
from streams.labels import NS_PER_DAY

BATCH = 256
Rows = NDArray[np.float32]


@pytest.fixture(scope="module")
def rows() -> Rows:
    rng = np.random.default_rng(1)
    return rng.lognormal(2.0, 1.5, (20_000, len(FEATURES))).astype(np.float32)


@pytest.fixture(scope="module")
def bundle(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """100 trees of depth 5 beside the autoencoder of the default size."""
    rng = np.random.default_rng(2)
    told = np.log(rows[:, :5]).sum(axis=1) + rng.normal(0, 1.0, len(rows))
    times = np.sort(rng.integers(0, 20 * NS_PER_DAY, len(rows)))
    history = LabelledHistory(
        rows, told > np.quantile(told, 0.98), times, rng.integers(0, 500, len(rows)).astype(np.int32)
    )
    split = TimeSplit(0, 16 * NS_PER_DAY, 20 * NS_PER_DAY)
    settings = FitSettings(
        nthread=1,
        boosting=BoostingSettings(rounds_max=100, patience=100, max_bin=256, learning_rate=0.05),
        autoencoder=AutoencoderSettings(rows_max=2_000, epochs=2),
        imbalance=ImbalanceSettings(rows_max=2_000, rounds=3),
    )
    fitted = fit_model(history, split, settings)
    manifest = describe(fitted, split, TrainSettings(fit=settings), Vocabulary((), ()), "none")
    return save_fitted(Path(tmp_path_factory.mktemp("bundle")) / "fraud", fitted, manifest)


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


def test_a_batch_is_cheaper_than_its_rows_one_by_one(bundle: Bundle, rows: Rows) -> None:
    model = OnnxModel(bundle)
    one, many = median_s(lambda: model.score(rows[:1])), median_s(lambda: model.score(rows[:BATCH]))
    assert many < one * BATCH / 2


def test_a_reason_costs_many_scores(bundle: Bundle, rows: Rows) -> None:
    """Why only flagged events are explained, and after their neighbours' decisions have left."""
    model, explainer = OnnxModel(bundle), Explainer(bundle)
    score = median_s(lambda: model.score(rows[:BATCH]))
    reasons = median_s(lambda: explainer.contributions(rows[:BATCH], np.ones(BATCH, dtype=np.float32)), times=5)
    assert reasons > 3 * score
