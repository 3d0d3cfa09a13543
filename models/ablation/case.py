"""A labelled stream with its features, and the windows in which variants train and are measured."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.batch import Status, Vocabulary
from models.features.offline import compute_history
from models.training_data import card_codes, category_names, known_frauds, read_events, read_labels
from models.training_key import code_hash, file_hash, versions
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.transaction import CHANNELS


@dataclass(frozen=True, slots=True)
class Window:
    """Event times, ns: train on [train_from, train_until), measure on [test_from, test_until)."""

    train_from_ns: int
    train_until_ns: int
    test_from_ns: int
    test_until_ns: int


@dataclass(frozen=True, slots=True)
class Case:
    """Rows in event order, all of shape [n] (`values` float32 [n, F]).

    `fraud` is the truth, `reported_ns` when it became known (the largest int64: never), `scenario` an index into
    `scenarios`, whose name is empty where no fraud scenario is named.
    """

    values: NDArray[np.float32]
    time_ns: NDArray[np.int64]
    cards: NDArray[np.int32]
    fraud: NDArray[np.bool_]
    reported_ns: NDArray[np.int64]
    scenario: NDArray[np.int32]
    scenarios: tuple[str, ...]
    key: str

    def training_rows(self, window: Window, label_delay_days: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Rows of the training window, and which of them are known to be fraud once the label delay has passed."""
        rows = np.flatnonzero((self.time_ns >= window.train_from_ns) & (self.time_ns < window.train_until_ns))
        known = self.reported_ns[rows] <= window.train_until_ns + label_delay_days * NS_PER_DAY
        return rows, self.fraud[rows] & known

    def test_rows(self, window: Window, label_delay_days: int, *, without_known: bool) -> NDArray[np.int64]:
        """Rows of the test window; `without_known` leaves out cards whose fraud since the start of training is known
        (Fraud Detection Handbook, chapter 3: a fraud of day f is known from day f + delay + 1 on)."""
        inside = (self.time_ns >= window.test_from_ns) & (self.time_ns < window.test_until_ns)
        if without_known:
            day = self.time_ns // NS_PER_DAY
            counts = self.fraud & (day >= window.train_from_ns // NS_PER_DAY)
            first = np.full(int(self.cards.max(initial=-1)) + 1, np.iinfo(np.int64).max)
            np.minimum.at(first, self.cards[counts], day[counts])
            inside &= first[self.cards] > day - label_delay_days - 1
        return np.flatnonzero(inside)


def read_case(events: list[Path], labels: list[Path], label_delay_days: int, cache: Path) -> Case:
    """Compute the features of files that follow one another in time, or take them from `cache`. Raises
    `BadInputError` for what is wrong with a file."""
    if len(events) != len(labels):
        raise BadInputError(f"{len(events)} files of events but {len(labels)} of labels: give one for each, in order")
    told = f"{file_hash(*events, *labels)} {label_delay_days} {code_hash()} {versions()}"
    key = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
    kept = cache / f"features-{key}.npz"
    if kept.is_file():
        with np.load(kept) as found:
            arrays = {name: found[name] for name in found.files}
    else:
        arrays = _computed(events, labels, label_delay_days)
        cache.mkdir(parents=True, exist_ok=True)
        staging = kept.with_suffix(".part.npz")
        np.savez(staging, allow_pickle=False, **arrays)
        staging.rename(kept)
    scenarios = tuple(str(name) for name in arrays.pop("scenarios"))
    return Case(**arrays, scenarios=scenarios, key=key)


def _computed(events: list[Path], labels: list[Path], label_delay_days: int) -> dict[str, NDArray[np.generic]]:
    tables = [read_events(path) for path in events]
    told = [read_labels(path, table) for path, table in zip(labels, tables, strict=True)]
    stream = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    truth = pa.concat_tables(told).unify_dictionaries().combine_chunks()
    vocabulary = Vocabulary(category_names(stream), CHANNELS)
    computed = compute_history(stream, truth, vocabulary, label_delay_days)
    kept = np.flatnonzero(computed.status != Status.REPEATED)
    scenario = truth["scenario"].cast(pa.string()).combine_chunks().fill_null("").dictionary_encode()
    names = np.array(scenario.dictionary.to_pylist(), dtype=str)
    never = np.iinfo(np.int64).max
    return {
        "values": computed.values[kept],
        "time_ns": stream["event_time_ns"].to_numpy()[kept],
        "cards": card_codes(stream)[kept],
        "fraud": known_frauds(truth, never)[kept],
        "reported_ns": truth["reported_at_ns"].cast(pa.int64()).fill_null(never).to_numpy()[kept],
        "scenario": scenario.indices.to_numpy().astype(np.int32)[kept],
        "scenarios": names,
    }
