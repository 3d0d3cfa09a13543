"""From files of transfers to labelled feature rows: a row a known side, with which rows teach and which ones judge."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.aml.findings import FoundRows, found_rows, read_findings
from models.aml.labels import NO_PATTERN, SideLabels, side_labels
from models.aml.settings import AmlTrainSettings
from models.features.batch import FeatureBlock, Status
from models.graph.catalog import AML_FEATURES
from models.graph.daily import compute_daily, daily_blocks
from models.graph.link_ledger import LinkLedger
from models.graph.markets import every_market
from models.graph.state import GraphState
from models.training_data import LabelledHistory, TimeSplit, read_events, read_labels, read_rows
from streams.account import ACCOUNT_SCHEMA
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA
from streams.transfer import TRANSFER_SCHEMA


@dataclass(frozen=True, slots=True)
class TransferFiles:
    """Parquet files: transfers in event-time order, their labels row for row, the accounts, the patterns' members;
    findings where investigators' work is to be learnt from (see `models.aml.findings`)."""

    events: Path
    labels: Path
    accounts: Path
    members: Path
    findings: Path | None = None

    def paths(self) -> tuple[Path, ...]:
        """All of them, events and labels first."""
        found = (self.events, self.labels, self.accounts, self.members)
        return found if self.findings is None else (*found, self.findings)


@dataclass(frozen=True, slots=True)
class TransferTables:
    """The same as tables."""

    transfers: pa.Table
    laundering: pa.Table
    accounts: pa.Table
    members: pa.Table
    findings: pa.Table | None = None

    def until(self, count: int) -> "TransferTables":
        """With the first `count` transfers."""
        return replace(self, transfers=self.transfers.slice(0, count), laundering=self.laundering.slice(0, count))


@dataclass(frozen=True, slots=True)
class SideRows:
    """The rows of known sides, with each row's pattern (int64 [m], NO_PATTERN without)."""

    history: LabelledHistory
    pattern: NDArray[np.int64]


def read_transfers(files: TransferFiles) -> TransferTables:
    """Raises `BadInputError` naming file, column and row of what cannot be used."""
    transfers = read_events(files.events, TRANSFER_SCHEMA)
    accounts = read_rows(files.accounts, ACCOUNT_SCHEMA)
    if len(accounts) == 0:
        raise BadInputError(f"{files.accounts} holds no account")
    return TransferTables(
        transfers,
        read_labels(files.labels, transfers, LAUNDERING_SCHEMA),
        accounts,
        read_rows(files.members, MEMBER_SCHEMA),
        None if files.findings is None else read_findings(files.findings),
    )


def replay(tables: TransferTables) -> FeatureBlock:
    """The features of both sides of each transfer, as a scorer would have seen them."""
    state = GraphState(tables.accounts, every_market())
    return compute_daily(state, LinkLedger(), state.code_table(tables.transfers))


@dataclass(frozen=True, slots=True)
class _Sides:
    """Rows of known sides before any feature is computed: their numbers among both sides of all transfers (int64 [m],
    ascending), a history without values, and each row's pattern."""

    numbers: NDArray[np.int64]
    history: LabelledHistory
    pattern: NDArray[np.int64]

    def take(self, chosen: NDArray[np.int64], values: NDArray[np.float32]) -> "_Sides":
        """Those of these places, with their features."""
        return _Sides(self.numbers[chosen], self.history.take(chosen, values), self.pattern[chosen])


def labelled_rows(tables: TransferTables, split: TimeSplit, settings: AmlTrainSettings) -> SideRows:
    """Replay the history and label those of its rows that teach, judge or describe it; of the others no feature is
    computed, and they are left out.

    Customers stand where fraud has cards. A pattern that shows on both sides of the cut teaches with its earlier rows
    and does not judge with its later ones, so that no pattern is in both parts.
    """
    sides = _told_sides(tables, split, settings)
    needed = np.flatnonzero(_needed(sides.history, split))
    values, seen = _computed(tables, sides.numbers[needed])
    found = sides.take(needed[seen], values)
    return SideRows(found.history, found.pattern)


def _told_sides(tables: TransferTables, split: TimeSplit, settings: AmlTrainSettings) -> _Sides:
    """Every row of a known side, and what it is to serve for."""
    labels = side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members)
    rows = np.flatnonzero(labels.account >= 0)
    times = np.repeat(tables.transfers["event_time_ns"].to_numpy(), 2)[rows]
    positive, near, pattern = labels.is_positive[rows], labels.is_near[rows], labels.pattern[rows]
    told, set_aside = positive, np.zeros(len(rows), np.bool_)
    if settings.near == "positive":
        told = positive | near
    elif settings.near == "left_out":
        set_aside = near
    drawn = np.random.default_rng(settings.fit.seed).random(len(rows)) < settings.genuine_share
    history = LabelledHistory(
        values=np.empty((len(rows), 0), np.float32),
        labels=told,
        time_ns=times,
        cards=_customers(tables.accounts, labels, rows),
        teaches=(told | drawn) & ~set_aside,
        judges=~_spanning(pattern, times, split) & ~set_aside,
        describes=drawn,
    )
    if tables.findings is not None and split.later_until_ns is not None:
        names = tables.accounts["customer_id"].cast(pa.string()).combine_chunks().take(pa.array(labels.account[rows]))
        known_by = split.later_until_ns + settings.label_delay_days * NS_PER_DAY
        history = _with_found(history, split, found_rows(tables.findings, names, times, known_by))
    return _Sides(rows, history, pattern)


def _needed(history: LabelledHistory, split: TimeSplit) -> NDArray[np.bool_]:
    """Rows that a fit on this split reads, bool [m]."""
    (train, validation), later = split.rows(history.time_ns), split.later(history.time_ns)
    needed = np.zeros(len(history.labels), np.bool_)
    for rows in (
        history.teaching(train),
        history.teaching(validation),
        history.teaching(later),
        history.judging(validation),
        history.describing(np.concatenate([train, validation])),
    ):
        needed[rows] = True
    return needed


def _computed(tables: TransferTables, numbers: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Features of these rows (int64 [m], ascending) but those of repeated transfers, float32 [k, F], and which places
    of `numbers` they are of."""
    state = GraphState(tables.accounts, every_market())
    batch = state.code_table(tables.transfers)
    wanted = np.zeros(len(batch), np.uint8)
    wanted[numbers // 2] = 1
    values = np.empty((len(numbers), len(AML_FEATURES)), np.float32)
    seen = np.zeros(len(numbers), np.bool_)
    for first, end, block in daily_blocks(state, LinkLedger(), batch, wanted):
        here = slice(*np.searchsorted(numbers, [2 * first, 2 * end]).tolist())
        own = numbers[here] - 2 * first
        values[here], seen[here] = block.values[own], block.status[own // 2] != Status.REPEATED
    return (values if seen.all() else values[seen]), np.flatnonzero(seen)


def _with_found(history: LabelledHistory, split: TimeSplit, found: FoundRows) -> LabelledHistory:
    """From the window's end on, labels are those of the findings alone; what has none does not teach."""
    late = history.time_ns >= split.until_ns
    teaches = history.labels if history.teaches is None else history.teaches
    return replace(
        history,
        labels=np.where(late, found.is_suspicious, history.labels),
        teaches=np.where(late, found.is_labelled, teaches),
        weights=np.where(late, found.weights, np.float32(1.0)),
    )


def _customers(accounts: pa.Table, labels: SideLabels, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    column = accounts["customer_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    codes = column.indices.to_numpy().astype(np.int32)
    found: NDArray[np.int32] = codes[labels.account[rows]]
    return found


def _spanning(pattern: NDArray[np.int64], times: NDArray[np.int64], split: TimeSplit) -> NDArray[np.bool_]:
    """Rows of patterns that were there before the cut."""
    early = np.unique(pattern[(times < split.validation_ns) & (pattern != NO_PATTERN)])
    found: NDArray[np.bool_] = np.isin(pattern, early)
    return found
