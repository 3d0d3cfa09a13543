"""One small trained model for every benchmark that needs one."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.autoencoder import AutoencoderSettings
from models.boosting import BoostingSettings
from models.bundle import Bundle
from models.features.batch import Vocabulary
from models.features.catalog import FEATURES
from models.fitting import FitSettings, fit_model
from models.imbalance import ImbalanceSettings
from models.packing import describe, save_fitted
from models.settings import TrainSettings
from models.training_data import LabelledHistory, TimeSplit
from streams.labels import NS_PER_DAY

Rows = NDArray[np.float32]


@pytest.fixture(scope="session")
def rows() -> Rows:
    rng = np.random.default_rng(1)
    return rng.lognormal(2.0, 1.5, (20_000, len(FEATURES))).astype(np.float32)


@pytest.fixture(scope="session")
def bundle(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Trees and autoencoder of the default size (so many rounds, depth and layers as a real bundle has)."""
    rng = np.random.default_rng(2)
    told = np.log(rows[:, :5]).sum(axis=1) + rng.normal(0, 1.0, len(rows))
    times = np.sort(rng.integers(0, 20 * NS_PER_DAY, len(rows)))
    history = LabelledHistory(
        rows, told > np.quantile(told, 0.98), times, rng.integers(0, 500, len(rows)).astype(np.int32)
    )
    split = TimeSplit(0, 16 * NS_PER_DAY, 20 * NS_PER_DAY)
    settings = FitSettings(
        nthread=1,
        boosting=BoostingSettings(max_bin=256),
        autoencoder=AutoencoderSettings(rows_max=2_000, epochs=2),
        imbalance=ImbalanceSettings(rows_max=2_000, rounds=3),
    )
    fitted = fit_model(history, split, settings)
    manifest = describe(fitted, split, TrainSettings(fit=settings), Vocabulary((), ()), "none")
    return save_fitted(Path(tmp_path_factory.mktemp("bundle")) / "fraud", fitted, manifest)
