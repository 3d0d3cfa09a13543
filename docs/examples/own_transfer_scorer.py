"""A scorer of transfers of one's own in plain kafka-python: suspects whom many pay small sums within a week.

bench run aml --scorer-command \
    "python docs/examples/own_transfer_scorer.py
     {bootstrap_servers} {events} {decisions} {alerts} {accounts} {group} {ready}"

With --scorer external you start it yourself, and the last argument is left out.
"""

import json
import sys
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from kafka import KafkaConsumer, KafkaProducer

WEEK_NS = 7 * 86_400 * 1_000_000_000
PAYERS = 8
"""So many payers in a week raise an alert."""


class FanIn:
    """Who paid whom in the last seven days of event time. `accounts`: each one's customer and market."""

    def __init__(self, accounts: dict[str, tuple[str, str]]) -> None:
        self._accounts = accounts
        self._paid: dict[str, deque[tuple[int, str, str]]] = defaultdict(deque)

    def answer(self, transfer: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The decision about a transfer, and an alert where this one raised it."""
        payer, payee, now_ns = transfer.get("from_account"), transfer.get("to_account"), transfer["event_time_ns"]
        before = len(self._payers(payee, now_ns)) if payee else 0
        if payer and payee:
            self._paid[payee].append((now_ns, payer, transfer["event_id"]))
        customers = [
            {"customer_id": self._accounts[each][0], "account_id": each, "score": self._score(each, now_ns)}
            for each in dict.fromkeys((payer, payee))
            if each in self._accounts
        ]
        raised = payee in self._accounts and before < PAYERS <= len(self._payers(payee, now_ns))
        decision = {
            "event_id": transfer["event_id"],
            "outcome": "review" if raised else "approve",
            "score": max((each["score"] for each in customers), default=0.0),
            "customers": customers,
        }
        return decision, self._alert(payee, transfer, customers[-1]["score"]) if raised else None

    def _payers(self, account: str, now_ns: int) -> set[str]:
        paid = self._paid[account]
        while paid and paid[0][0] <= now_ns - WEEK_NS:
            paid.popleft()
        return {payer for _, payer, _ in paid}

    def _score(self, account: str, now_ns: int) -> float:
        return min(len(self._payers(account, now_ns)) / (2 * PAYERS), 1.0)

    def _alert(self, account: str, transfer: dict[str, Any], score: float) -> dict[str, Any]:
        customer, market = self._accounts[account]
        now_ns, paid = transfer["event_time_ns"], self._paid[account]
        text = f"{len(self._payers(account, now_ns))} accounts paid within a week"
        return {
            "alert_id": f"fan-in-{transfer['event_id']}",
            "customer_id": customer,
            "account_id": account,
            "market": market,
            "typology": "fan_in",
            "window_from_ns": paid[0][0],
            "window_to_ns": now_ns,
            "score": score,
            "reasons": [{"code": "many_payers", "text": text, "kind": "rule"}],
            "evidence": [event_id for _, _, event_id in paid][-50:],
            "raised_by": transfer["event_id"],
            "event_time_ns": now_ns,
        }


def read_accounts(path: str) -> dict[str, tuple[str, str]]:
    """Customer and market of each account."""
    names = ("account_id", "customer_id", "market")
    rows: Iterator[tuple[str, str, str]] = zip(
        *pq.read_table(path, columns=list(names)).select(names).to_pydict().values(), strict=True
    )
    return {account: (customer, market) for account, customer, market in rows}


def main(
    servers: str, events: str, decisions: str, alerts: str, accounts: str, group: str, ready: str | None = None
) -> None:
    """Decide until ended."""
    scorer = FanIn(read_accounts(accounts))
    consumer = KafkaConsumer(events, bootstrap_servers=servers, group_id=group, auto_offset_reset="earliest")
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=0)
    while not consumer.assignment():
        consumer.poll(timeout_ms=100)
    if ready is not None:
        Path(ready).touch()
    for message in consumer:
        decision, alert = scorer.answer(json.loads(message.value))
        if alert is not None:
            producer.send(alerts, key=alert["customer_id"].encode(), value=json.dumps(alert).encode())
        producer.send(decisions, key=decision["event_id"].encode(), value=json.dumps(decision).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
