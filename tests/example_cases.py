"""Alerts with their evidence, made by code: a fan-in that is passed on, with as many senders as asked for."""

from dataclasses import dataclass

import pyarrow as pa

from harness.aml.case_file import Alerted, CaseFacts, build_cases
from streams.account import ACCOUNT_SCHEMA
from streams.alert import EVIDENCE_MAX, RawAlert
from streams.decision import Reason
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transfer import TRANSFER_SCHEMA

START_NS = 20_454 * NS_PER_DAY
NASTY = "<script>alert('x')</script>"


@dataclass(frozen=True)
class ExampleMarket:
    """A market as case files need it."""

    code: str = "BE"
    name: str = "Belgium"
    filing_deadline_days: int = 5


MARKETS = {"BE": ExampleMarket(), "JP": ExampleMarket("JP", "Japan", 30), "XX": ExampleMarket("XX", "Nowhere", 10)}


def accounts(names: list[str], market: str = "BE", currency: str = "EUR") -> pa.Table:
    """An account and a customer each; the first is the one in the middle, a business that declared little."""
    rows = [
        {
            "account_id": name,
            "customer_id": f"customer of {name}",
            "bank_id": "bank-7",
            "market": market,
            "currency": currency,
            "kind": "business" if place == 0 else "person",
            "segment": "car_trade" if place == 0 else "employee",
            "opened_at_ns": START_NS - 40 * NS_PER_DAY,
            "risk_rating": 2,
            "is_pep": False,
            "expected_monthly_minor": 500_000,
            "expected_cash_monthly_minor": 0,
            "expects_foreign": False,
        }
        for place, name in enumerate(names)
    ]
    return pa.Table.from_pylist(rows, schema=ACCOUNT_SCHEMA)


def transfers(flows: list[tuple[str | None, str | None, int, str]], currency: str = "EUR") -> pa.Table:
    """Sender, receiver, amount (minor units) and channel, two hours apart."""
    rows = [
        {
            "event_id": f"t-{number}",
            "event_time_ns": START_NS + 2 * number * NS_PER_HOUR,
            "amount_minor": amount,
            "currency": currency,
            "channel": channel,
            "from_account": sender,
            "to_account": receiver,
            "from_country": "BE" if sender else None,
            "to_country": "NL" if receiver else None,
        }
        for number, (sender, receiver, amount, channel) in enumerate(flows)
    ]
    return pa.Table.from_pylist(rows, schema=TRANSFER_SCHEMA)


def raw_alert(
    account: str, evidence: list[str], typology: str, alert_id: str = "alert-1", market: str = "BE"
) -> RawAlert:
    return RawAlert(
        alert_id=alert_id,
        customer_id=f"customer of {account}",
        account_id=account,
        market=market,
        typology=typology,
        window_from_ns=START_NS,
        window_to_ns=START_NS + 7 * NS_PER_DAY,
        score=0.71,
        reasons=[Reason(code="FI2", text="12 accounts paid this one within 3 days", kind="rule")],
        evidence=evidence,
        raised_by=evidence[-1] if evidence else "t-0",
        event_time_ns=START_NS + 3 * NS_PER_DAY,
    )


CONTRIBUTIONS = (
    Reason(code="passthrough", text="96% of what came in left within 5 hours", kind="feature", contribution=1.83),
    Reason(code="age", text="the account is 40 days old", kind="feature", contribution=-0.4),
)


def fan_in_case(
    sources: int = 12, alert_id: str = "alert-1", hub: str = "acc-hub", market: str = "BE", currency: str = "EUR"
) -> CaseFacts:
    """Many pay one account, which sends most of it to two others and takes some in cash; one of them pays back."""
    senders = [f"acc-{number:03d}" for number in range(sources)]
    flows: list[tuple[str | None, str | None, int, str]] = [
        (sender, hub, 180_000 + 1_000 * place, "instant") for place, sender in enumerate(senders)
    ]
    flows += [
        (hub, "acc-out-1", 900_000, "wire"),
        (hub, "acc-out-2", 800_000, "wire"),
        (hub, "acc-out-2", 120_000, "wire"),
        (hub, None, 50_000, "cash_out"),
        ("acc-out-1", senders[0], 70_000, "wire"),
    ]
    table = transfers(flows, currency)
    evidence = table["event_id"].to_pylist()
    assert len(evidence) <= EVIDENCE_MAX
    known = accounts([hub, *senders, "acc-out-1", "acc-out-2"], market, currency)
    alert = raw_alert(hub, evidence, "fan_in", alert_id, market)
    alerted = Alerted(alert, 0.934, rank=2, listed_at_ns=START_NS + 4 * NS_PER_DAY, contributions=CONTRIBUTIONS)
    return build_cases([alerted], known, table, MARKETS)[0]
