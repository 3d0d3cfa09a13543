"""A scorer of one's own in plain kafka-python: blocks what is five times a card's usual amount.

bench run fraud --scorer-command \
    "python docs/examples/own_scorer.py {bootstrap_servers} {events} {decisions} {group} {ready}"

With --scorer external you start it yourself, and the last argument is left out.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer


def decide(event: dict[str, Any], spent: dict[str, list[int]]) -> dict[str, Any]:
    """One decision: the amount against the mean of the card's earlier ones."""
    earlier = spent[event["card_id"]]
    mean = sum(earlier) / len(earlier) if earlier else event["amount_minor"]
    ratio = event["amount_minor"] / max(mean, 1)
    earlier.append(event["amount_minor"])
    outcome = "block" if ratio > 5 else "approve"
    return {"event_id": event["event_id"], "outcome": outcome, "score": min(ratio / 10, 1.0)}


def main(servers: str, events: str, decisions: str, group: str, ready: str | None = None) -> None:
    """Decide until ended."""
    consumer = KafkaConsumer(events, bootstrap_servers=servers, group_id=group, auto_offset_reset="earliest")
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=0)
    while not consumer.assignment():
        consumer.poll(timeout_ms=100)
    if ready is not None:
        Path(ready).touch()
    spent: dict[str, list[int]] = defaultdict(list)
    for message in consumer:
        decision = decide(json.loads(message.value), spent)
        producer.send(decisions, key=decision["event_id"].encode(), value=json.dumps(decision).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
