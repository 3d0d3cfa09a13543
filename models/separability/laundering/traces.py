"""Traces of how transfers were made: those of any stream, and exact amounts, ties of time, and accounts' numbers."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.separability.checks import Findings
from models.separability.laundering.material import Laundering
from models.separability.leaks import Row, Seen, Traced, groups, numbers_of, row, told
from models.separability.material import NOTHING, Ints
from models.separability.ranking import auc

CHANNELS = ("channel", "crosses_border")
KINDS = ("channel", "currency", "crosses_border")
IDENTIFIERS = ("from_account", "to_account", "from_bank", "to_bank")


def measure(data: Laundering, counted: Ints) -> Findings:
    """All traces in the transfers `counted`. What is laundered in one pattern came together: chance is counted by
    patterns."""
    transfers = data.tables.transfers
    crosses = _crosses(transfers)
    seen = Seen(
        Traced(
            transfers.append_column("crosses_border", pa.array(crosses)), data.time_ns, data.is_laundering, counted,
            channels=CHANNELS, kinds=KINDS, identifiers=IDENTIFIERS, alike=("from_account", "to_account"),
            clusters=data.pattern,
        )
    )  # fmt: skip
    found = groups(seen)
    found["digits of amounts"].append(_exact_amounts(seen))
    found["numbering"] += _account_numbers(data)
    return told({**found, "order": _order(seen)})


def _crosses(transfers: pa.Table) -> NDArray[np.str_]:
    """Whether both countries are known, and differ."""
    sides = [transfers[name].cast(pa.string()).fill_null("").to_numpy() for name in ("from_country", "to_country")]
    known = (sides[0] != "") & (sides[1] != "")
    return np.where(known & (sides[0] != sides[1]), "yes", "no")


def _exact_amounts(seen: Seen) -> Row:
    """Amounts that come again and again to the minor unit."""
    _, codes = np.unique(seen.amount, return_inverse=True)
    return seen.rate_row("the exact amount", codes, seen.kind)


def _order(seen: Seen) -> list[Row]:
    """Transfers of one instant: whether it is shared, and who comes first in it; and the transfer before."""
    time_ns = seen.traced.time_ns
    fresh = np.diff(time_ns, prepend=time_ns[0] - 1) != 0
    group = np.cumsum(fresh) - 1
    size = np.bincount(group)
    place = np.arange(len(time_ns)) - np.flatnonzero(fresh)[group]
    shared = size[group] > 1
    late = np.where(shared, place / np.maximum(size[group] - 1, 1), 0.5)
    return [
        seen.row("shares its instant", auc(shared[seen.rows].astype(np.float64), seen.positive)),
        seen.row("place among those of its instant", auc(late[seen.rows], seen.positive)),
    ]


def _account_numbers(data: Laundering) -> list[Row]:
    """Numbers of members' accounts and customers, and their place in the table, against the others'."""
    accounts = data.tables.accounts
    used = np.unique(data.sides.account[data.sides.account != NOTHING])
    member = np.zeros(len(accounts), np.bool_)
    member[data.sides.account[data.sides.is_positive]] = True
    hit = member[used]
    found = [row("place in the table of accounts", auc(used.astype(np.float64), hit), hit)]
    for name in ("account_id", "customer_id"):
        numbers = numbers_of(pa.chunked_array([accounts[name].cast(pa.string()).combine_chunks()]))
        if numbers is not None:
            found.append(row(f"number in {name} of the table of accounts", auc(numbers[used], hit), hit))
    return found
