"""Training from history files to a bundle on disk, reused where the same training was done before."""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle, BundleError
from models.domain import CARD_FRAUD, ModelDomain
from models.features.batch import Status, Vocabulary
from models.features.offline import compute_history
from models.fitting import fit_model
from models.packing import check_graph, describe, save_fitted
from models.progress import Tell, silent, within
from models.settings import TrainSettings
from models.training_data import (
    LabelledHistory,
    TimeSplit,
    card_codes,
    category_names,
    known_frauds,
    read_events,
    read_labels,
    split_in_time,
)
from models.training_key import file_hash, training_key
from streams.labels import NS_PER_DAY
from streams.transaction import CHANNELS

_log = logging.getLogger("riskbench.models")


def train_bundle(
    events_path: Path, labels_path: Path, directory: Path, settings: TrainSettings, tell: Tell = silent
) -> Bundle:
    """Train on history files and write a verified bundle to `directory`. Raises `BadInputError` for what is wrong with
    the files or the window, `BundleError` when the bundle cannot be written."""
    within(tell, "read history")
    data_hash = file_hash(events_path, labels_path)
    events = read_events(events_path)
    labels = read_labels(labels_path, events)
    times = events["event_time_ns"].to_numpy()
    split = split_history(times, settings)
    count = int(np.searchsorted(times, split.until_ns))
    events, labels = events.slice(0, count), labels.slice(0, count)
    within(tell, "compute features")
    vocabulary = Vocabulary(category_names(events), CHANNELS)
    computed = compute_history(events, labels, vocabulary, settings.label_delay_days)
    known = known_frauds(labels, split.until_ns + settings.label_delay_days * NS_PER_DAY)
    kept = np.flatnonzero(computed.status != Status.REPEATED)
    history = LabelledHistory(computed.values[kept], known[kept], times[:count][kept], card_codes(events)[kept])
    fitted = fit_model(history, split, settings.fit, tell)
    step = within(tell, "write bundle")
    manifest = describe(fitted, split, settings, vocabulary, data_hash)
    bundle = save_fitted(directory, fitted, manifest)
    check_graph(bundle, fitted, history.values[-10_000:])
    step(1.0)
    return bundle


def split_history(times: NDArray[np.int64], settings: TrainSettings) -> TimeSplit:
    """How the settings split a history whose events happened at `times` (int64 [n], ascending, n ≥ 1)."""
    return split_in_time(
        int(times[0]),
        int(times[-1]),
        from_ns=settings.from_ns,
        until_ns=settings.until_ns,
        warm_up_days=settings.warm_up_days,
        validation_share=settings.validation_share,
    )


def train_cached(
    events_path: Path, labels_path: Path, cache: Path, settings: TrainSettings, tell: Tell = silent
) -> Bundle:
    """The bundle of this training from `cache`, trained first where it is not there (or no longer whole)."""
    directory = cache / f"fraud-{training_key(events_path, labels_path, settings)[:20]}"
    return from_cache(directory, CARD_FRAUD) or train_bundle(events_path, labels_path, directory, settings, tell)


def from_cache(directory: Path, domain: ModelDomain) -> Bundle | None:
    """The bundle that was kept in `directory`; None where there is none, or none that is whole."""
    if directory.exists():
        try:
            return Bundle.load(directory, domain.feature_names)
        except BundleError as error:
            _log.warning("the cached bundle is not usable and is trained again: %s", error)
    return None
