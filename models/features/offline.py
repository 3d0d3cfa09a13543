"""Features of a whole history in one go: for training, and to warm the state a scorer starts from."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.features.batch import Float32s, Int64s, Status, TransactionBatch, UInt8s, Vocabulary
from models.features.catalog import FEATURES
from models.features.coding import encode_optional
from models.features.held_tables import DAYS_KEPT
from models.features.ledger import CODED, Codes, RiskLedger
from models.features.state import FeatureState
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY, Disposition, business_day, business_days


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Feature rows of a history, `values` float32 [n, F] and `status` uint8 [n] (`Status`; rows REPEATED are NaN),
    with the state and the ledger after its last event."""

    values: Float32s
    status: UInt8s
    state: FeatureState
    ledger: RiskLedger


def compute_history(
    events: pa.Table,
    labels: pa.Table | None,
    vocabulary: Vocabulary,
    label_delay_days: int,
    *,
    until_ns: int | None = None,
) -> History:
    """Compute the features of a history in arrival order, closing day tables on the way as the nightly job does.

    `events` is in `TRANSACTION_SCHEMA`, `labels` in `LABEL_SCHEMA` row by row (None: no fraud is known). `until_ns` is
    the event time at which a stream takes over (default: just after the newest event): frauds reported from then on
    are left to its dispositions, and business days that end by then are closed. Raises `BadInputError` when labels do
    not match the events or a required column has nulls.
    """
    state, ledger = FeatureState.empty(vocabulary), RiskLedger.empty(label_delay_days)
    batch, codes = state.code_table(events), _codes(ledger, events)
    if until_ns is None:
        until_ns = int(batch.time_ns.max(initial=-1)) + 1
    if labels is not None:
        _book_reports(ledger, batch, codes, _reported_at(events, labels), until_ns)
    found = _replay(state, ledger, batch, codes)
    if len(batch):
        _close_until(business_day(until_ns) - 1, state, ledger)
    return found


def continue_history(
    state: FeatureState, ledger: RiskLedger, events: pa.Table, dispositions: Sequence[Disposition]
) -> History:
    """Compute the features of a stream that follows on a state and its ledger (both are taken along, not copied).

    `dispositions` are all that become known in the stream: each counts from the closing of the business day it was
    reported in. The rows are those a scorer computes that started from the same state. Raises `BadInputError` as
    `compute_history`.
    """
    batch, codes = state.code_table(events), _codes(ledger, events)
    ledger.add_dispositions(dispositions)
    return _replay(state, ledger, batch, codes)


def _codes(ledger: RiskLedger, events: pa.Table) -> Codes:
    return {name: encode_optional(ledger.codes[name], events, f"{name}_id") for name in CODED}


def _replay(state: FeatureState, ledger: RiskLedger, batch: TransactionBatch, codes: Codes) -> History:
    values = np.empty((len(batch), len(FEATURES)), np.float32)
    status = np.zeros(len(batch), np.uint8)
    days = business_days(batch.time_ns)
    for rows in _day_portions(batch.time_ns):
        _close_until(int(batch.time_ns[rows.start] // NS_PER_DAY) - 1, state, ledger)
        state.compute_into(batch.take(rows), values[rows], status[rows])
        once = status[rows] != Status.REPEATED
        ledger.add_coded(days[rows][once], {name: column[rows][once] for name, column in codes.items()})
    return History(values, status, state, ledger)


def _day_portions(time_ns: Int64s) -> list[slice]:
    """Slices that start where the stream reaches a new calendar day (late events stay in the day they arrived in)."""
    newest_day = np.maximum.accumulate(time_ns // NS_PER_DAY)
    cuts = [0, *(np.flatnonzero(np.diff(newest_day)) + 1).tolist(), len(time_ns)]
    return [slice(start, end) for start, end in itertools.pairwise(cuts) if end > start]


def _close_until(last_day: int, state: FeatureState, ledger: RiskLedger) -> None:
    """Close every business day that is due and that the state would still hold."""
    for day in range(max(ledger.last_closed, last_day - DAYS_KEPT) + 1, last_day + 1):
        state.install(ledger.close(day))


def _reported_at(events: pa.Table, labels: pa.Table) -> npt.NDArray[np.int64]:
    """Event time at which each event is reported as fraud, the largest int64 for never."""
    if len(labels) != len(events):
        raise BadInputError(f"labels have {len(labels)} rows, events have {len(events)}: they must match row by row")
    differs = pc.not_equal(labels.column("event_id"), events.column("event_id"))
    if pc.any(differs).as_py():
        row = int(np.flatnonzero(differs.to_numpy())[0])
        raise BadInputError(
            f"labels, row {row}: event_id is {labels.column('event_id')[row]}, the event there is"
            f" {events.column('event_id')[row]}: labels must match events row by row"
        )
    never = np.iinfo(np.int64).max
    known = pc.if_else(labels.column("is_fraud"), labels.column("reported_at_ns"), pa.scalar(None, pa.int64()))
    found: npt.NDArray[np.int64] = known.fill_null(never).to_numpy()
    return found


def _book_reports(
    ledger: RiskLedger,
    batch: TransactionBatch,
    codes: Codes,
    reported_at_ns: Int64s,
    until_ns: int,
) -> None:
    rows = np.flatnonzero(reported_at_ns < until_ns)
    of_rows = {name: column[rows] for name, column in codes.items()}
    ledger.add_reports(batch.event_hash[rows], batch.time_ns[rows], reported_at_ns[rows], of_rows)
