"""A small labelled history and the model fitted to it, shared by this room's tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.autoencoder import Autoencoder, AutoencoderSettings
from models.boosting import BoostingSettings
from models.bundle import Bundle
from models.features.batch import Vocabulary
from models.features.catalog import FEATURES
from models.fitting import FitSettings, Fitted, fit_model
from models.imbalance import ImbalanceSettings
from models.packing import describe, save_fitted
from models.settings import TrainSettings
from models.training_data import LabelledHistory, TimeSplit
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.transaction import CHANNELS, TRANSACTION_SCHEMA

SMALL = FitSettings(
    seed=3,
    nthread=1,
    with_autoencoder=True,
    boosting=BoostingSettings(rounds_max=60, patience=15, max_bin=256),
    autoencoder=AutoencoderSettings(hidden=(16, 6, 16), rows_max=4_000, epochs=4),
    imbalance=ImbalanceSettings(None, rows_max=4_000, rounds=12, smote_genuine_max=2_000),
)
SPLIT = TimeSplit(0, 16 * NS_PER_DAY, 20 * NS_PER_DAY)
VOCABULARY = Vocabulary(("books", "fuel", "travel"), ("chip", "contactless", "online", "atm"))


def random_rows(rng: np.random.Generator, count: int) -> np.ndarray:
    """Heavy-tailed numbers, flags and codes with a tenth of the values missing; the last column always."""
    columns = []
    for feature in FEATURES:
        if feature.kind == "number":
            columns.append(rng.lognormal(2.0, 1.5, count))
        elif feature.kind == "flag":
            columns.append((rng.random(count) < 0.3).astype(np.float64))
        else:
            columns.append(rng.integers(-1, 3, count).astype(np.float64))
    values = np.column_stack(columns).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[:, -1] = np.nan
    return values


def make_history(seed: int = 1, count: int = 12_000) -> LabelledHistory:
    """Rows over 20 days of which about 2% are fraud, told by a few columns and noise."""
    rng = np.random.default_rng(seed)
    values = random_rows(rng, count)
    signal = np.log1p(np.nan_to_num(values[:, [0, 6, 21]], nan=5.0)).sum(axis=1) + np.nan_to_num(values[:, 4])
    noisy = signal + rng.normal(0, 0.7, count)
    times = np.sort(rng.integers(0, 20 * NS_PER_DAY, count))
    return LabelledHistory(
        values, noisy > np.quantile(noisy, 0.98), times, rng.integers(0, 500, count).astype(np.int32)
    )


@pytest.fixture(scope="session")
def history() -> LabelledHistory:
    return make_history()


@pytest.fixture(scope="session")
def fitted(history: LabelledHistory) -> Fitted:
    return fit_model(history, SPLIT, SMALL)


@pytest.fixture(scope="session")
def autoencoder(fitted: Fitted) -> Autoencoder:
    """The autoencoder of the fitted model."""
    if fitted.autoencoder is None:
        raise AssertionError("the small fit has an autoencoder")
    return fitted.autoencoder


@pytest.fixture(scope="session")
def bundle(fitted: Fitted, write: Callable[[Fitted, Path], Bundle], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write(fitted, tmp_path_factory.mktemp("bundles") / "fraud")


@pytest.fixture(scope="session")
def write() -> Callable[[Fitted, Path], Bundle]:
    """Writes a fitted model as a bundle."""

    def written(fitted: Fitted, directory: Path) -> Bundle:
        return save_fitted(directory, fitted, describe(fitted, SPLIT, TrainSettings(fit=SMALL), VOCABULARY, "no files"))

    return written


@pytest.fixture(scope="session")
def make_rows() -> Callable[[np.random.Generator, int], np.ndarray]:
    """Draws random feature rows."""
    return random_rows


@pytest.fixture(scope="session")
def fresh_rows() -> np.ndarray:
    """10,000 rows that no training saw, some of them extreme."""
    rng = np.random.default_rng(77)
    rows = random_rows(rng, 10_000)
    rows[::97] *= np.float32(1e5)
    rows[5] = np.nan
    return rows


@pytest.fixture(scope="session")
def small_fit() -> FitSettings:
    """Settings of a fit that takes about a second."""
    return SMALL


@pytest.fixture(scope="session")
def tables() -> tuple[pa.Table, pa.Table]:
    """20 days of transactions of 60 cards, 3% of them dear online purchases that are fraud, reported after a day."""
    rng = np.random.default_rng(12)
    count = 6_000
    times = np.sort(rng.integers(0, 20 * NS_PER_DAY, count))
    fraud = rng.random(count) < 0.03
    columns = {
        "event_id": [f"e{row}" for row in range(count)],
        "event_time_ns": times,
        "card_id": [f"c{card}" for card in rng.integers(0, 60, count)],
        "amount_minor": np.where(fraud, rng.integers(20_000, 90_000, count), rng.integers(100, 30_000, count)),
        "currency": ["EUR"] * count,
        "terminal_id": [f"t{place}" for place in rng.integers(0, 40, count)],
        "category": [("books", "fuel", "travel")[code] for code in rng.integers(0, 3, count)],
        "channel": [CHANNELS[2] if stolen else CHANNELS[code] for stolen, code in zip(fraud, times % 4, strict=True)],
    }
    fields = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(count, field.type)
        for field in TRANSACTION_SCHEMA
    ]
    labels = pa.table(
        [columns["event_id"], fraud, pa.nulls(count, LABEL_SCHEMA.field("scenario").type),
         pa.nulls(count, LABEL_SCHEMA.field("look_alike").type), pa.array(times + NS_PER_DAY, mask=~fraud)],
        schema=LABEL_SCHEMA,
    )  # fmt: skip
    return pa.table(fields, schema=TRANSACTION_SCHEMA), labels


@pytest.fixture(scope="session")
def history_files(tables: tuple[pa.Table, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same as Parquet files of events and labels."""
    directory = tmp_path_factory.mktemp("history")
    for name, table in zip(("events", "labels"), tables, strict=True):
        pq.write_table(table, directory / f"{name}.parquet")
    return directory / "events.parquet", directory / "labels.parquet"
