"""What the checks are made on: events with their truth, the kernel's features, and an out-of-time split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.features.batch import Status, Vocabulary
from models.features.offline import compute_history
from models.separability.settings import AuditSettings
from models.training_data import FRAUDS_MIN, category_names, read_events, read_labels
from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.transaction import CHANNELS, TRANSACTION_SCHEMA

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NOTHING = -1


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Events and what they are, arrays of one length n in event-time order.

    `fraud` is the truth, reported or not; `scenario` is a position in `scenarios` (-1 for genuine events and where
    none is named).
    """

    events: pa.Table
    labels: pa.Table
    time_ns: Ints
    fraud: Flags
    scenario: Ints
    scenarios: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.time_ns)

    def codes(self, column: str) -> Ints:
        """A number ≥ 0 for each value of a column, -1 where it is null: int64 [n]."""
        return coded(self.events, column)[0]

    def refunds(self) -> Flags:
        """Which events pay money back, bool [n]."""
        if not self.has("is_refund"):
            return np.zeros(len(self), np.bool_)
        found: Flags = pc.fill_null(self.events["is_refund"], False).to_numpy().astype(np.bool_)
        return found

    def has(self, column: str) -> bool:
        """Whether a column is there and holds something."""
        names = self.events.column_names
        return column in names and self.events[column].null_count < len(self.events)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Row numbers of the training and of the test part, and what each row stands for (`*_weight`, float64)."""

    train: Ints
    test: Ints
    train_weight: NDArray[np.float64]
    test_weight: NDArray[np.float64]

    @property
    def rows(self) -> Ints:
        """Both parts, the training part first."""
        return np.concatenate([self.train, self.test])


def coded(table: pa.Table, column: str) -> tuple[Ints, list[str]]:
    """A text column as positions in its distinct values (-1 null), and those values."""
    encoded = table[column].cast(pa.string()).combine_chunks().dictionary_encode()
    codes: Ints = pc.fill_null(encoded.indices, pa.scalar(NOTHING, pa.int32())).to_numpy().astype(np.int64)
    return codes, encoded.dictionary.to_pylist()


def read_truth(events: Sequence[Path], labels: Sequence[Path]) -> Truth:
    """Read files of events, one after another in time, each with its labels. Raises `BadInputError` naming the file."""
    return truth_of(*read_parts(events, labels, TRANSACTION_SCHEMA, LABEL_SCHEMA))


def read_parts(
    events: Sequence[Path], labels: Sequence[Path], schema: pa.Schema, label_schema: pa.Schema
) -> tuple[pa.Table, pa.Table]:
    """Events and labels of files that follow one another in time. Raises `BadInputError` naming the file."""
    if len(events) != len(labels):
        raise BadInputError(f"--events names {len(events)} files, --labels {len(labels)}: give one of labels for each")
    tables = [read_events(path, schema) for path in events]
    truths = [read_labels(path, table, label_schema) for path, table in zip(labels, tables, strict=True)]
    both = pa.concat_tables(tables, promote_options="default").unify_dictionaries()
    times = both["event_time_ns"].to_numpy()
    back = np.flatnonzero(np.diff(times) < 0)
    if back.size:
        start = int(back[0]) + 1
        raise BadInputError(
            f"--events: the files are not in order of time: event {start} is earlier than the one before"
        )
    return both, pa.concat_tables(truths, promote_options="default").unify_dictionaries()


def truth_of(events: pa.Table, labels: pa.Table) -> Truth:
    """Put tables together. Raises `BadInputError` when there are too few frauds to say anything."""
    fraud = np.asarray(labels["is_fraud"].to_numpy(), np.bool_)
    frauds = int(fraud.sum())
    if frauds < 2 * FRAUDS_MIN or frauds == len(fraud):
        raise BadInputError(
            f"{frauds} frauds among {len(fraud)} events: an audit needs at least {2 * FRAUDS_MIN}, and genuine events"
        )
    scenario, names = coded(labels, "scenario") if "scenario" in labels.column_names else (np.full(len(fraud), -1), [])
    times = events["event_time_ns"].to_numpy().astype(np.int64)
    return Truth(events, labels, times, fraud, scenario, tuple(names))


def features(truth: Truth, labels: pa.Table, label_delay_days: int) -> tuple[NDArray[np.float32], Flags]:
    """The kernel's features as if `labels` were the truth: float32 [n, F], and which rows count (not repeated)."""
    vocabulary = Vocabulary(category_names(truth.events), CHANNELS)
    history = compute_history(truth.events, labels, vocabulary, label_delay_days)
    return history.values, history.status != Status.REPEATED


def counted_from_ns(time_ns: Ints, settings: AuditSettings) -> int:
    """First instant whose rows count: what comes before only warms the features."""
    first, last = int(time_ns[0]), int(time_ns[-1])
    return first + min(settings.warm_up_days * NS_PER_DAY, int(0.4 * (last - first)))


def split_rows(truth: Truth, counts: Flags, settings: AuditSettings) -> Split:
    """The out-of-time split, genuine rows thinned out at random where they are more than `genuine_max` in a part.

    Raises `BadInputError` when a part has too few frauds.
    """
    start, end = counted_from_ns(truth.time_ns, settings), int(truth.time_ns[-1]) + 1
    cut = end - int(settings.test_share * (end - start))
    rng = np.random.default_rng([settings.seed, 1])
    parts = []
    for name, low, high in (("training", start, cut), ("test", cut, end)):
        rows = np.flatnonzero(counts & (truth.time_ns >= low) & (truth.time_ns < high))
        frauds = int(truth.fraud[rows].sum())
        if frauds < FRAUDS_MIN or frauds == len(rows):
            days = (high - low) / NS_PER_DAY
            raise BadInputError(
                f"the {name} part ({days:.1f} days) has {frauds} frauds among {len(rows)} events; at least "
                f"{FRAUDS_MIN}, and genuine events, are needed: give a longer or a larger stream"
            )
        parts.append(thinned(rows, truth.fraud[rows], settings.genuine_max, rng))
    (train, train_weight), (test, test_weight) = parts
    return Split(train, test, train_weight, test_weight)


def thinned(rows: Ints, fraud: Flags, genuine_max: int, rng: np.random.Generator) -> tuple[Ints, NDArray[np.float64]]:
    """All frauds and at most `genuine_max` genuine rows drawn at random, in order; how many rows each stands for."""
    genuine = rows[~fraud]
    stands_for = max(1.0, len(genuine) / genuine_max)
    if stands_for > 1.0:
        rows = np.sort(np.concatenate([rows[fraud], rng.choice(genuine, genuine_max, replace=False)]))
        fraud = np.isin(rows, genuine, invert=True, assume_unique=True)
    return rows, np.where(fraud, 1.0, stands_for)
