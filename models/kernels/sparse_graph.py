"""A sparse random graph of transfers with planted cycles, for benchmarks of the graph kernel."""

import itertools

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.graph.batch import TransferBatch
from models.graph.kernel.layout import CELLS, MISSING
from models.graph.markets import MarketTable
from models.graph.state import GraphState
from streams.account import ACCOUNT_SCHEMA
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transfer import TRANSFER_CHANNELS

CYCLE_LENGTHS = (2, 3, 4, 5, 6)
CYCLE_SHARE = 0.02
"""Share of transfers that belong to a planted cycle."""
MARKETS = MarketTable.of([])


def graph_state(accounts: int) -> GraphState:
    """A state that knows so many accounts, by codes 0, 1, 2, …"""
    rows = {
        "account_id": [f"{code}" for code in range(accounts)],
        "customer_id": [f"{code}" for code in range(accounts)],
        "bank_id": ["bank"] * accounts,
        "market": ["US"] * accounts,
        "currency": ["USD"] * accounts,
        "kind": ["person"] * accounts,
        "segment": ["any"] * accounts,
        "opened_at_ns": [0] * accounts,
        "risk_rating": [1] * accounts,
        "is_pep": [False] * accounts,
        "expected_monthly_minor": [100_000] * accounts,
        "expected_cash_monthly_minor": [10_000] * accounts,
        "expects_foreign": [False] * accounts,
    }
    return GraphState(pa.table(rows, schema=ACCOUNT_SCHEMA), MARKETS)


def _planted(
    rng: np.random.Generator, transfers: int, accounts: int, days: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Senders, receivers and times of cycles of every length, each within a week."""
    senders, receivers, times = list[int](), list[int](), list[int]()
    for length in itertools.cycle(CYCLE_LENGTHS):
        if len(senders) >= transfers * CYCLE_SHARE:
            break
        members = rng.choice(accounts, length, replace=False)
        begun = rng.uniform(0, max(days - 6, 0.1)) * NS_PER_DAY
        senders += members.tolist()
        receivers += np.roll(members, -1).tolist()
        times += (begun + np.cumsum(rng.uniform(1, 20, length)) * NS_PER_HOUR).astype(np.int64).tolist()
    return np.array(senders), np.array(receivers), np.array(times)


def sparse_transfers(transfers: int, accounts: int, days: float, seed: int = 1) -> TransferBatch:
    """Transfers in event-time order between accounts drawn alike, with planted cycles among them."""
    rng = np.random.default_rng(seed)
    senders, receivers, times = _planted(rng, transfers, accounts, days)
    rest = transfers - len(senders)
    sender = np.concatenate([senders, rng.integers(0, accounts, rest)])
    receiver = np.concatenate([receivers, rng.integers(0, accounts, rest)])
    time_ns = np.concatenate([times, rng.uniform(0, days * NS_PER_DAY, rest).astype(np.int64)])
    order = np.argsort(time_ns, kind="stable")
    return coded(sender[order], receiver[order], time_ns[order], rng)


def coded(
    sender: npt.NDArray[np.int64],
    receiver: npt.NDArray[np.int64],
    time_ns: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> TransferBatch:
    """Transfers between accounts by their codes, of random amounts."""
    cells = np.full((len(sender), CELLS), MISSING, np.int64)
    cells[:, 0] = np.arange(len(sender))
    cells[:, 1], cells[:, 2], cells[:, 3] = time_ns, sender, receiver
    cells[:, 4] = np.exp(rng.normal(11, 1.5, len(sender))).astype(np.int64) + 1
    cells[:, 6] = 0
    cells[:, 8] = rng.integers(0, len(TRANSFER_CHANNELS), len(sender))
    return TransferBatch(cells)
