"""Accounts for the graph kernel: known beforehand, a transfer each, and transfers to measure."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from models.features.batch import FeatureBlock
from models.graph.batch import TransferBatch
from models.graph.markets import MarketTable
from models.graph.state import GraphState
from models.kernels.traffic import FILL_ROWS, HISTORY_NS, START_NS, Ints, event_times, gap_ns
from streams.account import ACCOUNT_SCHEMA
from streams.transfer import TRANSFER_CHANNELS, Transfer
from streams.worlds.arrays import numbered

COUNTRIES = ("DE", "FR", "NL", "US")
DIGITS = 9
KNOWN_AT_ONCE = 100_000


class Accounts:
    """First each odd account pays the one before it, then accounts drawn alike pay each other, until there are as many
    transfers as accounts. History enters without its features: only the graph is of use."""

    def __init__(self, accounts: int, seed: int) -> None:
        self.entities = accounts
        self.history_events = accounts
        self._rng = np.random.default_rng(seed)
        self._state = GraphState(ACCOUNT_SCHEMA.empty_table(), MarketTable.of([]))
        for first in range(0, accounts, KNOWN_AT_ONCE):
            self._state.know(_known(first, min(first + KNOWN_AT_ONCE, accounts)))

    @property
    def memory_bytes(self) -> int:
        """Bytes that the state's arrays use."""
        return self._state.memory_bytes

    def history(self) -> Iterator[pa.Table]:
        """Yield the history, `FILL_ROWS` transfers at a time."""
        for first in range(0, self.history_events, FILL_ROWS):
            rows = min(FILL_ROWS, self.history_events - first)
            payers = 2 * np.arange(first, first + rows) + 1
            payees = payers - 1
            again = payers >= self.entities
            payers[again], payees[again] = self._rng.integers(0, self.entities, (2, int(again.sum())))
            yield self._table(payers, payees, first)

    def _table(self, payers: Ints, payees: Ints, first: int) -> pa.Table:
        rng, rows = self._rng, len(payers)
        words = {"channel": TRANSFER_CHANNELS, "from_country": COUNTRIES, "to_country": COUNTRIES, "currency": ("USD",)}
        coded = {
            name: pa.DictionaryArray.from_arrays(rng.integers(0, len(known), rows).astype(np.int32), pa.array(known))
            for name, known in words.items()
        }
        return pa.table(
            {
                "event_id": numbered("e", np.arange(first, first + rows), 12),
                "event_time_ns": event_times(first, rows, self.history_events),
                "from_account": numbered("a", payers, DIGITS),
                "to_account": numbered("a", payees, DIGITS),
                "amount_minor": np.exp(rng.normal(11, 1.5, rows)).astype(np.int64) + 1,
                **coded,
            }
        )

    def enter(self, table: pa.Table) -> None:
        """Take a part of the history into the graph."""
        batch = self._state.code_table(table)
        self._state.compute(batch, np.zeros(len(batch), np.uint8))

    def messages(self, chosen: Ints, first: int) -> list[Transfer]:
        """Transfers from these accounts, each to the one chosen half a list on, one after the other behind the
        history."""
        amounts = (np.exp(self._rng.normal(11, 1.5, len(chosen))).astype(np.int64) + 1).tolist()
        payees = np.roll(chosen, len(chosen) // 2).tolist()
        begin_ns, gap = START_NS + HISTORY_NS, gap_ns(self.history_events)
        return [
            Transfer(
                event_id=f"n{first + row:012d}",
                event_time_ns=begin_ns + (first + row) * gap,
                amount_minor=amounts[row],
                currency="USD",
                channel=TRANSFER_CHANNELS[row % len(TRANSFER_CHANNELS)],
                from_account=f"a{payer:0{DIGITS}d}",
                to_account=f"a{payees[row]:0{DIGITS}d}",
                from_country=COUNTRIES[row % len(COUNTRIES)],
                to_country=COUNTRIES[row % len(COUNTRIES)],
            )
            for row, payer in enumerate(chosen.tolist())
        ]

    def code(self, messages: list[Transfer]) -> TransferBatch:
        """Code them."""
        return self._state.code_events(messages)

    def compute(self, batch: TransferBatch) -> FeatureBlock:
        """Take them in and compute the features of both sides."""
        return self._state.compute(batch)


def _known(first: int, end: int) -> pa.Table:
    """What due diligence knows of accounts [first, end), as ACCOUNT_SCHEMA has it."""
    rows = end - first
    numbers = np.arange(first, end)
    columns = {
        "account_id": numbered("a", numbers, DIGITS),
        "customer_id": numbered("p", numbers, DIGITS),
        "opened_at_ns": np.zeros(rows, np.int64),
        "risk_rating": np.ones(rows, np.int8),
        "is_pep": np.zeros(rows, np.bool_),
        "expects_foreign": numbers % 8 == 0,
        "expected_monthly_minor": np.full(rows, 300_000),
        "expected_cash_monthly_minor": np.full(rows, 30_000),
    }
    words = {"bank_id": "bank", "market": "US", "currency": "USD", "kind": "person", "segment": "any"}
    table = pa.table(columns | {name: pa.repeat(pa.scalar(word), rows) for name, word in words.items()})
    return table.select(ACCOUNT_SCHEMA.names).cast(ACCOUNT_SCHEMA)
