"""Training on transfers: from files of a history to a bundle on disk."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from models.aml.history import SideRows, TransferFiles, labelled_rows, read_transfers
from models.aml.ranked import ranked_customers
from models.aml.settings import AmlTrainSettings
from models.bundle import Bundle
from models.domain import LAUNDERING
from models.features.batch import Vocabulary
from models.fitting import Fitted, fit_model
from models.packing import check_graph, describe, save_fitted
from models.progress import Tell, silent, within
from models.train import from_cache, split_history
from models.training_data import TimeSplit
from models.training_key import file_hash, training_key
from streams.transfer import TRANSFER_CHANNELS


def train_aml_bundle(files: TransferFiles, directory: Path, settings: AmlTrainSettings, tell: Tell = silent) -> Bundle:
    """Train on history files and write a verified bundle to `directory`. Raises `BadInputError` for what is wrong with
    the files or the window, `BundleError` when the bundle cannot be written."""
    within(tell, "read history")
    data_hash = file_hash(*files.paths())
    tables = read_transfers(files)
    times = tables.transfers["event_time_ns"].to_numpy()
    split = split_history(times, settings)
    if tables.findings is not None:
        split = replace(split, later_until_ns=int(times[-1]) + 1)
    within(tell, "compute features")
    end_ns = split.later_until_ns or split.until_ns
    rows = labelled_rows(tables.until(int(np.searchsorted(times, end_ns))), split, settings)
    fitted = fit_model(rows.history, split, settings.fit, tell, LAUNDERING)
    step = within(tell, "write bundle")
    manifest = describe(fitted, split, settings, Vocabulary((), TRANSFER_CHANNELS), data_hash, LAUNDERING)
    manifest["metrics"] |= _customer_metrics(rows, split, fitted)
    bundle = save_fitted(directory, fitted, manifest)
    check_graph(bundle, fitted, rows.history.values[-10_000:])
    step(1.0)
    return bundle


def _customer_metrics(rows: SideRows, split: TimeSplit, fitted: Fitted) -> dict[str, float | int | None]:
    history = rows.history
    judging = history.judging(split.rows(history.time_ns)[1])
    ranked = ranked_customers(history.cards[judging], history.labels[judging], rows.pattern[judging], fitted.scores)
    return ranked.to_metrics()


def train_aml_cached(files: TransferFiles, cache: Path, settings: AmlTrainSettings, tell: Tell = silent) -> Bundle:
    """The bundle of this training from `cache`, trained first where it is not there (or no longer whole)."""
    key = training_key(files.events, files.labels, settings, *files.paths()[2:])
    directory = cache / f"aml-{key[:20]}"
    return from_cache(directory, LAUNDERING) or train_aml_bundle(files, directory, settings, tell)
