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
from models.graph.daily import compute_daily
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


def labelled_rows(tables: TransferTables, split: TimeSplit, settings: AmlTrainSettings) -> SideRows:
    """Replay the history and label its rows.

    Customers stand where fraud has cards. A pattern that shows on both sides of the cut teaches with its earlier rows
    and does not judge with its later ones, so that no pattern is in both parts.
    """
    computed = replay(tables)
    labels = side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members)
    seen = np.repeat(computed.status != Status.REPEATED, 2)
    rows = np.flatnonzero(seen & (labels.account >= 0))
    times = np.repeat(tables.transfers["event_time_ns"].to_numpy(), 2)[rows]
    positive, near, pattern = labels.is_positive[rows], labels.is_near[rows], labels.pattern[rows]
    customers = _customers(tables.accounts, labels, rows)
    told, set_aside = positive, np.zeros(len(rows), np.bool_)
    if settings.near == "positive":
        told = positive | near
    elif settings.near == "left_out":
        set_aside = near
    drawn = np.random.default_rng(settings.fit.seed).random(len(rows)) < settings.genuine_share
    spanning = _spanning(pattern, times, split)
    history = LabelledHistory(
        values=computed.values[rows],
        labels=told,
        time_ns=times,
        cards=customers,
        teaches=(told | drawn) & ~set_aside,
        judges=~spanning & ~set_aside,
    )
    if tables.findings is not None and split.later_until_ns is not None:
        names = tables.accounts["customer_id"].cast(pa.string()).combine_chunks().take(pa.array(labels.account[rows]))
        known_by = split.later_until_ns + settings.label_delay_days * NS_PER_DAY
        history = _with_found(history, split, found_rows(tables.findings, names, times, known_by))
    return SideRows(history, pattern)


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
