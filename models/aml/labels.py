"""Which rows are laundering: transfers, patterns and members brought together, a row a side of a transfer.

A row is positive when its transfer is laundering and the account on its side is a member of the transfer's pattern;
whoever pays a launderer unaware (a victim, an employer) is not.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.errors import BadInputError

NOBODY = -1
NO_PATTERN = -1
SIDES = ("from_account", "to_account")
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SideLabels:
    """One entry a row [2n], the sender's of transfer i at 2i, the receiver's at 2i + 1. `account` is the row of the
    account table (NOBODY: not one of those known), `pattern` that of positive rows (else NO_PATTERN), `is_near` marks
    rows of a member that are not its pattern's, between the pattern's first and last transfer."""

    account: Int64s
    is_positive: Bools
    pattern: Int64s
    is_near: Bools


def side_accounts(transfers: pa.Table, accounts: pa.Table) -> Int64s:
    """Rows of the account table, int64 [2n]; NOBODY where a side is no account that is known."""
    known = _texts(accounts["account_id"])
    rows = [
        pc.index_in(_texts(transfers[side]), value_set=known).fill_null(NOBODY).to_numpy().astype(np.int64)
        for side in SIDES
    ]
    found: Int64s = np.stack(rows, axis=1).ravel()
    return found


def side_labels(transfers: pa.Table, laundering: pa.Table, accounts: pa.Table, members: pa.Table) -> SideLabels:
    """The labels of both sides of each transfer. Raises `BadInputError` when a member's account is unknown."""
    account = side_accounts(transfers, accounts)
    member = _members(members, accounts)
    moved = np.repeat(np.asarray(laundering["is_laundering"].to_numpy(), dtype=np.bool_), 2)
    of_transfer = np.repeat(laundering["pattern_id"].fill_null(NO_PATTERN).to_numpy(), 2)
    of_transfer = np.where(moved, of_transfer, NO_PATTERN)
    ids = np.unique(member[:, 0])
    count = len(accounts)
    keys = np.searchsorted(ids, member[:, 0]) * count + member[:, 1]
    there = np.isin(of_transfer, ids) & (account >= 0)
    wanted = np.searchsorted(ids, of_transfer) * count + account
    positive = there & np.isin(wanted, keys)
    times = np.repeat(transfers["event_time_ns"].to_numpy(), 2)
    pattern = np.where(positive, of_transfer, NO_PATTERN)
    near = _near(account, times, member, _lasting(ids, of_transfer, times)) & ~positive
    return SideLabels(account, positive, pattern, near)


def _texts(column: pa.ChunkedArray) -> pa.Array:
    found = column.cast(pa.string()).combine_chunks()
    return found if isinstance(found, pa.Array) else pa.array([], pa.string())


def _members(members: pa.Table, accounts: pa.Table) -> Int64s:
    """Pattern and row of the account table of each member, int64 [m, 2]."""
    row = pc.index_in(_texts(members["account_id"]), value_set=_texts(accounts["account_id"]))
    if row.null_count:
        name = members["account_id"][pc.index(row.is_null(), pa.scalar(True)).as_py()].as_py()
        raise BadInputError(f"{row.null_count} members of patterns have no account; the first is account {name!r}")
    found = np.column_stack([members["pattern_id"].to_numpy(), row.to_numpy()])
    return np.unique(found.astype(np.int64), axis=0)


def _lasting(ids: Int64s, of_transfer: Int64s, times: Int64s) -> dict[int, tuple[int, int]]:
    """First and last instant of each pattern that shows."""
    shown = np.flatnonzero(np.isin(of_transfer, ids))
    place = np.searchsorted(ids, of_transfer[shown])
    first, last = np.full(len(ids), np.iinfo(np.int64).max), np.full(len(ids), -1, np.int64)
    np.minimum.at(first, place, times[shown])
    np.maximum.at(last, place, times[shown])
    return {int(name): (int(begin), int(end)) for name, begin, end in zip(ids, first, last, strict=True) if end >= 0}


def _near(account: Int64s, times: Int64s, member: Int64s, lasting: dict[int, tuple[int, int]]) -> Bools:
    """Rows of members while one of their patterns lasts."""
    near = np.zeros(len(account), dtype=np.bool_)
    order = np.argsort(account, kind="stable")
    ordered = account[order]
    for pattern, row in member.tolist():
        if pattern not in lasting:
            continue
        begin, end = lasting[pattern]
        own = order[np.searchsorted(ordered, row) : np.searchsorted(ordered, row, side="right")]
        near[own] |= (times[own] >= begin) & (times[own] <= end)
    return near
