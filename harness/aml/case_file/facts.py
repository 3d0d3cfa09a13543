"""What is known about an alert: the customer, its accounts, the transfers that speak for it, the market it is filed in.

Facts alone, as the stream, the due diligence and the scorer gave them: nothing is guessed and no truth is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from harness.aml.case_file.money import add_up
from streams.alert import RawAlert
from streams.decision import Reason
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

HERE = Path(__file__).parent
ANY_AUTHORITY = "the market's financial intelligence unit"


class Market(Protocol):
    """What a case file needs of a market."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def filing_deadline_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Alerted:
    """An alert as it was ranked. `score` is what it was ranked by, `rank` its place on the worklist (from 1; None: on
    none), `listed_at_ns` the end of that day, `contributions` what raised the score, the largest first."""

    alert: RawAlert
    score: float
    rank: int | None = None
    listed_at_ns: int | None = None
    contributions: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """One transfer of the evidence; an account is None where that side is outside."""

    event_id: str
    time_ns: int
    amount_minor: int
    currency: str
    channel: str
    from_account: str | None
    to_account: str | None
    from_country: str | None
    to_country: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """An account, as due diligence knows it."""

    account_id: str
    customer_id: str
    bank_id: str
    currency: str
    kind: str
    segment: str
    opened_at_ns: int
    risk_rating: int
    is_pep: bool
    expected_monthly_minor: int


@dataclass(frozen=True)
class CaseFacts:
    """One case. `accounts` are the customer's; `holders` names the customer of every known account in the evidence."""

    alerted: Alerted
    accounts: tuple[Held, ...]
    transfers: tuple[Moved, ...]
    holders: Mapping[str, str]
    market_code: str
    market_name: str
    deadline_ns: int
    authority: str
    missing: int = 0
    own: frozenset[str] = field(default_factory=frozenset)

    @property
    def alert(self) -> RawAlert:
        """The alert itself."""
        return self.alerted.alert

    @cached_property
    def received(self) -> list[Moved]:
        """Evidence that came into one of the customer's accounts from elsewhere."""
        return [one for one in self.transfers if one.to_account in self.own and one.from_account not in self.own]

    @cached_property
    def sent(self) -> list[Moved]:
        """Evidence that left one of the customer's accounts for elsewhere."""
        return [one for one in self.transfers if one.from_account in self.own and one.to_account not in self.own]

    @cached_property
    def others(self) -> list[Moved]:
        """Evidence between accounts of others, or between the customer's own."""
        between = {one.event_id for one in (*self.received, *self.sent)}
        return [one for one in self.transfers if one.event_id not in between]

    @cached_property
    def counterparties(self) -> list[str]:
        """Other customers in the evidence, by name."""
        return sorted(set(self.holders.values()) - {self.alert.customer_id})

    @property
    def countries(self) -> list[str]:
        """Countries named by the transfers, by code."""
        named = {country for one in self.transfers for country in (one.from_country, one.to_country) if country}
        return sorted(named)

    def sums(self, transfers: Iterable[Moved]) -> dict[str, int]:
        """Sums by currency, minor units."""
        return add_up((one.currency, one.amount_minor) for one in transfers)


@lru_cache
def authorities() -> dict[str, str]:
    """Financial intelligence unit by country."""
    return dict(yaml.safe_load((HERE / "authorities.yaml").read_text(encoding="utf-8")))


@lru_cache
def typology_words() -> dict[str, str]:
    """How each typology goes, in words."""
    return dict(yaml.safe_load((HERE / "typologies.yaml").read_text(encoding="utf-8")))


def build_cases(
    alerted: Sequence[Alerted], accounts: pa.Table, transfers: pa.Table, markets: Mapping[str, Market]
) -> list[CaseFacts]:
    """The facts of each alert, from ACCOUNT_SCHEMA, TRANSFER_SCHEMA (history and stream) and the markets by code.

    Evidence that is not among the transfers is counted (`missing`). Raises BadInputError when an alert's customer has
    no account, or its market is unknown.
    """
    moved = _moved(transfers, {event for one in alerted for event in one.alert.evidence})
    customers = {one.alert.customer_id for one in alerted}
    of_account, of_customer = _held(accounts, customers, moved.values())
    cases = []
    for one in alerted:
        alert = one.alert
        if alert.customer_id not in of_customer:
            raise BadInputError(f"alert {alert.alert_id!r}: customer {alert.customer_id!r} has no account")
        if alert.market not in markets:
            raise BadInputError(f"alert {alert.alert_id!r}: market {alert.market!r} is not known")
        market = markets[alert.market]
        evidence = [moved[event] for event in dict.fromkeys(alert.evidence) if event in moved]
        named = {account for each in evidence for account in (each.from_account, each.to_account) if account}
        cases.append(
            CaseFacts(
                alerted=one,
                accounts=tuple(of_customer[alert.customer_id]),
                transfers=tuple(sorted(evidence, key=lambda each: (each.time_ns, each.event_id))),
                holders={account: of_account[account] for account in sorted(named) if account in of_account},
                market_code=market.code,
                market_name=market.name,
                deadline_ns=(one.listed_at_ns or alert.event_time_ns) + market.filing_deadline_days * NS_PER_DAY,
                authority=authorities().get(market.code, ANY_AUTHORITY),
                missing=len(set(alert.evidence)) - len(evidence),
                own=frozenset(held.account_id for held in of_customer[alert.customer_id]),
            )
        )
    return cases


def _moved(transfers: pa.Table, wanted: set[str]) -> dict[str, Moved]:
    names = list(Moved.__slots__)
    columns = {"time_ns": "event_time_ns"}
    chosen = transfers.filter(pc.is_in(transfers["event_id"], value_set=pa.array(sorted(wanted), pa.string())))
    rows = chosen.select([columns.get(name, name) for name in names]).rename_columns(names).to_pylist()
    return {row["event_id"]: Moved(**row) for row in rows}


def _held(
    accounts: pa.Table, customers: set[str], moved: Iterable[Moved]
) -> tuple[dict[str, str], dict[str, list[Held]]]:
    """Customer by account of the evidence, and the accounts of the customers."""
    named = {account for each in moved for account in (each.from_account, each.to_account) if account}
    holder = accounts["customer_id"].cast(pa.string())
    theirs = pc.is_in(holder, value_set=pa.array(sorted(customers), pa.string()))
    there = pc.is_in(accounts["account_id"], value_set=pa.array(sorted(named), pa.string()))
    rows: list[dict[str, Any]] = accounts.filter(pc.or_(theirs, there)).select(list(Held.__slots__)).to_pylist()
    of_account = {row["account_id"]: row["customer_id"] for row in rows}
    of_customer: dict[str, list[Held]] = {}
    for row in rows:
        if row["customer_id"] in customers:
            of_customer.setdefault(row["customer_id"], []).append(Held(**row))
    return of_account, of_customer
