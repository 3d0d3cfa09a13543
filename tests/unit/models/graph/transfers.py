"""Small random worlds: markets, accounts, and streams of transfers with ties, late and repeated ones and nulls."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from models.graph.markets import MarketTable
from models.graph.state import GraphState
from streams.account import ACCOUNT_SCHEMA
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transfer import TRANSFER_CHANNELS, TRANSFER_SCHEMA, Transfer

START_NS = 19_000 * NS_PER_DAY


@dataclasses.dataclass(frozen=True)
class Market:
    """A market as the kernel asks of it."""

    code: str
    currency: str
    minor_per_usd: float
    reporting_threshold_minor: int | None
    weekend: tuple[int, ...]
    utc_offset_h: float
    corridor_risk: Mapping[str, int]
    is_high_risk: bool


MARKETS = (
    Market("DE", "EUR", 92.0, 1_000_000, (5, 6), 1, {"AE": 2, "KP": 3}, False),
    Market("US", "USD", 100.0, 1_000_000, (5, 6), -5, {"KP": 3, "DE": 2}, False),
    Market("AE", "AED", 367.25, None, (4, 5), 4, {}, True),
    Market("IN", "INR", 8_350.0, 100_000_000, (6,), 5.5, {"KP": 3}, False),
)
TABLE = MarketTable.of(MARKETS, {"JPY": 150.0})
MINOR_PER_USD = {market.currency: market.minor_per_usd for market in MARKETS} | {"JPY": 150.0}


def account_rows(seed: int, accounts: int) -> list[dict[str, Any]]:
    """What due diligence knows, of accounts a0, a1, …"""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(accounts):
        market = MARKETS[int(rng.integers(len(MARKETS)))]
        opened = START_NS + int(rng.integers(-500, 60)) * NS_PER_DAY
        rows.append(
            {
                "account_id": f"a{number}",
                "customer_id": f"c{number // 2}",
                "bank_id": "bank",
                "market": market.code if number % 7 else "ZZ",
                "currency": market.currency,
                "kind": "business" if rng.random() < 0.3 else "person",
                "segment": "any",
                "opened_at_ns": opened,
                "risk_rating": int(rng.integers(1, 4)),
                "is_pep": bool(rng.random() < 0.2),
                "expected_monthly_minor": int(rng.integers(0, 2_000_000)),
                "expected_cash_monthly_minor": int(rng.integers(0, 50_000)),
                "expects_foreign": bool(rng.random() < 0.5),
            }
        )
    return rows


def account_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The same as columns."""
    return pa.Table.from_pylist(list(rows), schema=ACCOUNT_SCHEMA)


@dataclasses.dataclass(frozen=True)
class StreamShape:
    """How long and how wild a random stream is. Accounts beyond `known` are in no table of accounts."""

    transfers: int = 250
    accounts: int = 8
    known: int = 6
    days: float = 45.0
    late_share: float = 0.15
    late_days_max: float = 3.0
    repeat_share: float = 0.05
    outside_share: float = 0.15
    amounts: int = 12


WILD = StreamShape()
ORDERLY = StreamShape(late_share=0.0, repeat_share=0.0)


def fresh_state(seed: int = 0, shape: StreamShape = WILD) -> GraphState:
    """A state that knows the accounts of the world of this seed."""
    return GraphState(account_table(account_rows(seed, shape.known)), TABLE)


def random_stream(seed: int, shape: StreamShape = WILD) -> list[Transfer]:
    """Transfers in arrival order."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1.0, shape.transfers) * (rng.random(shape.transfers) > 0.15)  # the rest are ties
    times = START_NS + np.cumsum(gaps / gaps.sum() * shape.days * NS_PER_DAY).astype(np.int64)
    times = times // NS_PER_HOUR * NS_PER_HOUR if seed % 2 else times  # whole hours hit the windows' edges
    behind = rng.random(shape.transfers) ** 4 * shape.late_days_max * NS_PER_DAY
    times = np.where(rng.random(shape.transfers) < shape.late_share, times - behind.astype(np.int64), times)
    found: list[Transfer] = []
    for number, time_ns in enumerate(times.tolist()):
        if found and rng.random() < shape.repeat_share:
            found.append(found[int(rng.integers(len(found)))])
        else:
            found.append(_transfer(rng, shape, number, time_ns))
    return found


def _transfer(rng: np.random.Generator, shape: StreamShape, number: int, time_ns: int) -> Transfer:
    def account() -> str | None:
        return None if rng.random() < shape.outside_share else f"a{rng.integers(shape.accounts)}"

    def country() -> str | None:
        return ("DE", "US", "AE", "IN", "KP", "FR", "SE", None)[int(rng.integers(8))]

    amount = int(rng.integers(1, shape.amounts)) * int(10 ** rng.integers(2, 7)) - int(rng.random() < 0.3)
    converted = rng.random() < 0.2
    return Transfer(
        event_id=f"transfer-{number}-é",
        event_time_ns=time_ns,
        amount_minor=amount,
        currency=str(rng.choice(sorted(MINOR_PER_USD))),
        channel=TRANSFER_CHANNELS[int(rng.integers(len(TRANSFER_CHANNELS)))],
        from_account=account(),
        to_account=account(),
        from_country=country(),
        to_country=country(),
        received_minor=int(rng.integers(0, 10**7)) if converted else None,
        received_currency=str(rng.choice(sorted(MINOR_PER_USD))) if converted else None,
    )


def as_table(events: Sequence[Transfer]) -> pa.Table:
    """The same transfers as columns."""
    return pa.Table.from_pylist([msgspec.to_builtins(event) for event in events], schema=TRANSFER_SCHEMA)


def at_hour(number: int, hour: float, sender: str | None, receiver: str | None, usd: float = 1_000.0) -> Transfer:
    """A plain transfer, `hour` hours after the start of time."""
    return Transfer(
        event_id=f"{number}",
        event_time_ns=START_NS + round(hour * NS_PER_HOUR),
        amount_minor=round(usd * 100),
        currency="USD",
        channel="wire",
        from_account=sender,
        to_account=receiver,
    )
