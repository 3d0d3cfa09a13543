"""Thirty days of transfers between few accounts, in which pairs of mules pass large sums on: easy to learn."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from models.aml.history import TransferTables
from streams.account import ACCOUNT_SCHEMA
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA
from streams.transfer import TRANSFER_SCHEMA

START_NS = 20_000 * NS_PER_DAY
DAYS = 30


@dataclass
class Ledger:
    """Rows as they are written down."""

    transfers: list[dict[str, object]] = field(default_factory=list)
    members: list[dict[str, object]] = field(default_factory=list)

    def pay(self, time_ns: int, payer: str | None, payee: str | None, usd: int, pattern: int | None = None) -> None:
        """Write a transfer down, laundering where it has a pattern."""
        self.transfers.append(
            {
                "event_time_ns": int(time_ns), "amount_minor": usd * 100, "currency": "USD", "channel": "wire",
                "from_account": payer, "to_account": payee, "pattern_id": pattern,
            }
        )  # fmt: skip

    def join(self, pattern: int, *accounts: str) -> None:
        """Write down who belongs to a pattern."""
        self.members += [
            {"pattern_id": pattern, "typology": "fan_in", "customer_id": f"c{name[1:]}", "account_id": name,
             "role": "mule"}
            for name in accounts
        ]  # fmt: skip

    def tables(self, accounts: int) -> TransferTables:
        """In event-time order."""
        rows = sorted(self.transfers, key=lambda row: int(str(row["event_time_ns"])))
        named = [{"event_id": f"t{number}", **row} for number, row in enumerate(rows)]
        labels = [
            {"event_id": row["event_id"], "is_laundering": row["pattern_id"] is not None,
             "pattern_id": row["pattern_id"], "typology": "fan_in" if row["pattern_id"] is not None else None}
            for row in named
        ]  # fmt: skip
        return TransferTables(
            pa.Table.from_pylist(named, schema=TRANSFER_SCHEMA),
            pa.Table.from_pylist(labels, schema=LAUNDERING_SCHEMA),
            pa.Table.from_pylist([account(number) for number in range(accounts)], schema=ACCOUNT_SCHEMA),
            pa.Table.from_pylist(self.members, schema=MEMBER_SCHEMA),
        )


def account(number: int) -> dict[str, object]:
    """An account of the customer of the same number."""
    return {
        "account_id": f"a{number}", "customer_id": f"c{number}", "bank_id": "b", "market": "US", "currency": "USD",
        "kind": "person", "segment": "any", "opened_at_ns": START_NS - 400 * NS_PER_DAY, "risk_rating": 1,
        "is_pep": False, "expected_monthly_minor": 200_000, "expected_cash_monthly_minor": 0, "expects_foreign": False,
    }  # fmt: skip


def easy_history(seed: int = 5, accounts: int = 60, genuine: int = 2_500, patterns: int = 24) -> TransferTables:
    """Everybody pays everybody small sums; every 30 hours a mule is paid a large sum and passes it on at once."""
    rng, ledger = np.random.default_rng(seed), Ledger()
    for time in rng.integers(START_NS, START_NS + DAYS * NS_PER_DAY, genuine):
        payer, payee = rng.choice(accounts, 2, replace=False)
        ledger.pay(int(time), f"a{payer}", f"a{payee}", int(rng.integers(5, 400)))
    for pattern in range(patterns):
        victim, mule, boss = (f"a{number}" for number in rng.choice(accounts, 3, replace=False))
        begin = START_NS + pattern * 30 * NS_PER_HOUR
        ledger.pay(begin, victim, mule, 6_000, pattern)
        ledger.pay(begin + NS_PER_HOUR, mule, boss, 5_900, pattern)
        ledger.join(pattern, mule, boss)
    return ledger.tables(accounts)
