"""A small world of money laundering, made by hand: who sends what to whom, and which of it belongs to a pattern."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from harness.aml.truth import Truth, truth_of
from streams.account import ACCOUNT_SCHEMA
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA
from streams.transfer import TRANSFER_SCHEMA

DAY = 20_000


@dataclass(frozen=True)
class Sent:
    """A transfer: event-day (from 0), hour, sender's and receiver's customer, pattern (None: genuine)."""

    day: int
    hour: float
    sender: str | None
    receiver: str | None
    pattern: int | None = None
    amount_minor: int = 100_000


def at(day: int, hour: float = 0) -> int:
    return (DAY + day) * NS_PER_DAY + int(hour * NS_PER_HOUR)


def account(customer: str | None) -> str | None:
    return None if customer is None else f"acc-{customer}"


def transfers(sent: Sequence[Sent], currency: str = "EUR") -> pa.Table:
    rows = [
        {
            "event_id": f"t{number}",
            "event_time_ns": at(row.day, row.hour),
            "amount_minor": row.amount_minor,
            "currency": currency,
            "channel": "cash_in" if row.sender is None else "cash_out" if row.receiver is None else "wire",
            "from_account": account(row.sender),
            "to_account": account(row.receiver),
            "from_country": None if row.sender is None else "BE",
            "to_country": None if row.receiver is None else "NL",
        }
        for number, row in enumerate(sent)
    ]
    return pa.Table.from_pylist(rows, schema=TRANSFER_SCHEMA)


def laundering(sent: Sequence[Sent], typology: dict[int, str]) -> pa.Table:
    rows = [
        {
            "event_id": f"t{number}",
            "is_laundering": row.pattern is not None,
            "pattern_id": row.pattern,
            "typology": None if row.pattern is None else typology[row.pattern],
            "look_alike": None,
        }
        for number, row in enumerate(sent)
    ]
    return pa.Table.from_pylist(rows, schema=LAUNDERING_SCHEMA)


def accounts(customers: dict[str, str]) -> pa.Table:
    """One account a customer, by market."""
    rows = [
        {
            "account_id": account(name),
            "customer_id": name,
            "bank_id": f"bank-{market}",
            "market": market,
            "currency": "EUR",
            "kind": "person",
            "segment": "employee",
            "opened_at_ns": at(-400),
            "risk_rating": 2,
            "is_pep": False,
            "expected_monthly_minor": 500_000,
            "expected_cash_monthly_minor": 50_000,
            "expects_foreign": False,
        }
        for name, market in customers.items()
    ]
    return pa.Table.from_pylist(rows, schema=ACCOUNT_SCHEMA)


def members(patterns: Mapping[int, Sequence[str]], typology: dict[int, str]) -> pa.Table:
    rows = [
        {
            "pattern_id": number,
            "typology": typology[number],
            "customer_id": name,
            "account_id": account(name),
            "role": "layer",
        }
        for number, names in patterns.items()
        for name in names
    ]
    return pa.Table.from_pylist(rows, schema=MEMBER_SCHEMA)


CUSTOMERS = {"a": "BE", "b": "BE", "c": "NL", "d": "NL", "e": "BE", "f": "DE", "shop": "DE"}
TYPOLOGY = {1: "fan_in", 2: "cycle", 3: "fan_in"}
MEMBERS = {1: ("a", "b", "c"), 2: ("d", "e"), 3: ("f",)}
SENT = [
    Sent(0, 1, "a", "shop"),
    Sent(0, 2, "a", "b", 1),
    Sent(0, 3, "d", "shop"),
    Sent(1, 4, "b", "c", 1),
    Sent(2, 5, "d", "e", 2),
    Sent(2, 6, "f", "shop"),
    Sent(3, 7, "e", "d", 2),
]
"""Pattern 3 does nothing in this stream; the shop is paid and belongs to nothing."""


def small_truth(excluded: Sequence[int] = ()) -> Truth:
    return truth_of(
        transfers(SENT), laundering(SENT, TYPOLOGY), accounts(CUSTOMERS), members(MEMBERS, TYPOLOGY), excluded
    )


def scored(*rows: tuple[str, int, float, float]) -> pa.Table:
    """Scored alerts: customer, day, hour, score."""
    columns = list(zip(*rows, strict=True))
    return pa.table(
        {
            "customer_id": pa.array(columns[0], pa.string()),
            "event_time_ns": [at(day, hour) for day, hour in zip(columns[1], columns[2], strict=True)],
            "score": pa.array(columns[3], pa.float64()),
        }
    )
