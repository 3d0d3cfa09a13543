"""From history files to labelled feature rows and a split in time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.transaction import TRANSACTION_SCHEMA

FRAUDS_MIN = 10
"""Fewer frauds than this on either side of the split teach and measure nothing."""


@dataclass(frozen=True, slots=True)
class LabelledHistory:
    """Feature rows of a history in event order: `values` float32 [n, F], `labels` bool [n] (as known when training),
    `time_ns` int64 [n], `cards` int32 [n] (codes).

    Where not every row serves, `teaches`, `judges` and `describes` (bool [n]; None: all) say which ones are trained on,
    which ones the validation part judges by, and which ones the reference of the window's features is made of;
    `weights` float32 [n] (None: all the same) are those of the training.
    """

    values: NDArray[np.float32]
    labels: NDArray[np.bool_]
    time_ns: NDArray[np.int64]
    cards: NDArray[np.int32]
    teaches: NDArray[np.bool_] | None = None
    judges: NDArray[np.bool_] | None = None
    describes: NDArray[np.bool_] | None = None
    weights: NDArray[np.float32] | None = None

    def teaching(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these row numbers that teach."""
        return rows if self.teaches is None else rows[self.teaches[rows]]

    def judging(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these row numbers that judge."""
        return rows if self.judges is None else rows[self.judges[rows]]

    def describing(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these row numbers that the reference is made of."""
        return rows if self.describes is None else rows[self.describes[rows]]

    def take(self, rows: NDArray[np.int64], values: NDArray[np.float32]) -> "LabelledHistory":
        """The history of these row numbers alone, with their features, float32 [rows, F]."""

        def of(column: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if column is None else column[rows]

        return LabelledHistory(
            values, self.labels[rows], self.time_ns[rows], self.cards[rows],
            of(self.teaches), of(self.judges), of(self.describes), of(self.weights),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """[from, validation) trains, [validation, until) chooses; what comes before only warms the features. Rows of
    [until, later_until) teach the last fit alone: too few of them are labelled for more."""

    from_ns: int
    validation_ns: int
    until_ns: int
    later_until_ns: int | None = None

    def rows(self, time_ns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row numbers of the training and of the validation part."""
        train = np.flatnonzero((time_ns >= self.from_ns) & (time_ns < self.validation_ns))
        validation = np.flatnonzero((time_ns >= self.validation_ns) & (time_ns < self.until_ns))
        return train, validation

    def later(self, time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row numbers of what teaches the last fit alone."""
        end = self.until_ns if self.later_until_ns is None else self.later_until_ns
        return np.flatnonzero((time_ns >= self.until_ns) & (time_ns < end))

    @property
    def validation_days(self) -> float:
        """Length of the validation part."""
        return (self.until_ns - self.validation_ns) / NS_PER_DAY


def split_in_time(
    first_ns: int,
    last_ns: int,
    *,
    from_ns: int | None,
    until_ns: int | None,
    warm_up_days: int,
    validation_share: float,
) -> TimeSplit:
    """Where training begins, validation begins and both end.

    Without `from_ns` training begins `warm_up_days` after the first event, or after 40% of a shorter history. The
    validation part is the last `validation_share` of the window, extended to whole days. Raises `BadInputError` when
    the window holds less than two days.
    """
    until = until_ns if until_ns is not None else last_ns + 1
    start = from_ns
    if start is None:
        start = first_ns + min(warm_up_days * NS_PER_DAY, int(0.4 * (until - first_ns)))
    if until - start < 2 * NS_PER_DAY:
        raise BadInputError(
            f"the training window must hold at least 2 days, got {(until - start) / NS_PER_DAY:.2f} "
            f"({_iso(start)} to {_iso(until)}); history runs from {_iso(first_ns)} to {_iso(last_ns)}"
        )
    validation = until - max(NS_PER_DAY, int(validation_share * (until - start)))
    whole_day = validation // NS_PER_DAY * NS_PER_DAY
    return TimeSplit(start, whole_day if whole_day > start else validation, until)


def read_events(path: Path, schema: pa.Schema = TRANSACTION_SCHEMA) -> pa.Table:
    """A history of transactions (or of what else `schema` says) in event-time order. Raises `BadInputError` naming
    file, column and row."""
    table = read_rows(path, schema)
    if len(table) == 0:
        raise BadInputError(f"{path} holds no {'transaction' if schema is TRANSACTION_SCHEMA else 'transfer'}")
    times = table["event_time_ns"].to_numpy()
    back = np.flatnonzero(np.diff(times) < 0)
    if back.size:
        row = int(back[0]) + 1
        raise BadInputError(f"{path} is not in event-time order: row {row} is earlier than the row before it; sort it")
    return table


def read_labels(path: Path, events: pa.Table, schema: pa.Schema = LABEL_SCHEMA) -> pa.Table:
    """The labels of `events`, one row an event in the same order. Raises `BadInputError` at the first that differs."""
    table = read_rows(path, schema)
    if len(table) != len(events):
        raise BadInputError(f"{path} holds {len(table)} labels for {len(events)} events; one row an event is needed")
    same = pc.equal(table["event_id"].cast(pa.string()), events["event_id"].cast(pa.string())).to_numpy()
    if not same.all():
        row = int(np.flatnonzero(~same.astype(np.bool_))[0])
        found, wanted = table["event_id"][row].as_py(), events["event_id"][row].as_py()
        raise BadInputError(f"{path}, row {row}, column event_id: {found!r}, but the event in that row is {wanted!r}")
    return table


def read_rows(path: Path, schema: pa.Schema) -> pa.Table:
    """A Parquet file with the columns that `schema` needs. Raises `BadInputError` naming file, column and row."""
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise BadInputError(f"{path} does not exist") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise BadInputError(f"{path} cannot be read as Parquet: {error}") from error
    absent = [field.name for field in schema if not field.nullable and field.name not in table.column_names]
    if absent:
        raise BadInputError(f"{path} lacks the column {', '.join(absent)}")
    for field in schema:
        if not field.nullable and table[field.name].null_count:
            row = int(np.flatnonzero(pc.is_null(table[field.name]).to_numpy())[0])
            raise BadInputError(f"{path}, row {row}, column {field.name}: a value is needed")
    return table


def known_frauds(labels: pa.Table, as_of_ns: int) -> NDArray[np.bool_]:
    """Which events a bank knows to be fraud at `as_of_ns`: those reported by then. bool [n]."""
    fraud = np.asarray(labels["is_fraud"].to_numpy(), dtype=np.bool_)
    if "reported_at_ns" not in labels.column_names:
        raise BadInputError("the labels lack the column reported_at_ns (when each fraud became known)")
    never = np.iinfo(np.int64).max
    reported = pc.fill_null(labels["reported_at_ns"].cast(pa.int64()), pa.scalar(never, pa.int64())).to_numpy()
    known: NDArray[np.bool_] = fraud & (reported <= as_of_ns)
    return known


def card_codes(events: pa.Table) -> NDArray[np.int32]:
    """A number for each card, int32 [n]."""
    column = events["card_id"].cast(pa.string()).combine_chunks()
    encoded = column.dictionary_encode()
    codes: NDArray[np.int32] = encoded.indices.to_numpy().astype(np.int32)
    return codes


def category_names(events: pa.Table) -> tuple[str, ...]:
    """The merchant categories that occur, in alphabetical order: the vocabulary's codes."""
    if "category" not in events.column_names:
        return ()
    return tuple(
        sorted(name for name in pc.unique(events["category"].cast(pa.string())).to_pylist() if name is not None)
    )


def check_frauds(labels: NDArray[np.bool_], part: str) -> None:
    """Raise `BadInputError` unless `part` of the window has enough frauds, and genuine events, to learn from."""
    frauds = int(labels.sum())
    if frauds < FRAUDS_MIN or frauds == len(labels):
        raise BadInputError(
            f"the {part} part of the training window has {frauds} known frauds among {len(labels)} events; "
            f"at least {FRAUDS_MIN}, and genuine events, are needed: use a longer window or a history with more frauds"
        )


def _iso(time_ns: int) -> str:
    return str(np.datetime64(time_ns, "ns").astype("datetime64[s]")) + "Z"
