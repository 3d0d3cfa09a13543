"""Events and answers as a run has them: every field of an event given, one decision in fifty flagged with a reason."""

import numpy as np
import pyarrow as pa

from models.features.catalog import FEATURES
from streams.decision import Decision, Reason
from streams.transaction import TRANSACTION_SCHEMA

FIRST_EVENT_NS = 1_767_225_600_000_000_000


def event_id(number: int) -> str:
    return f"evt-{number:09d}"


def events(count: int, cards: int = 200) -> pa.Table:
    """A second of event time apart."""
    numbers = range(count)
    columns = {
        "event_id": [event_id(n) for n in numbers],
        "event_time_ns": [FIRST_EVENT_NS + n * 1_000_000_000 for n in numbers],
        "card_id": [f"card-{n % cards:06d}" for n in numbers],
        "amount_minor": [1_000 + n % 977 for n in numbers],
        "currency": ["EUR"] * count,
        "customer_id": [f"customer-{n % cards:06d}" for n in numbers],
        "merchant_id": [f"merchant-{n % 77:04d}" for n in numbers],
        "terminal_id": [f"terminal-{n % 99:04d}" for n in numbers],
        "device_id": [f"device-{n % cards:06d}" for n in numbers],
        "category": ["food"] * count,
        "channel": ["chip"] * count,
        "country": ["DE"] * count,
        "latitude": [50.0 + n % 7 for n in numbers],
        "longitude": [8.0 + n % 5 for n in numbers],
    }
    rows = {name: columns.get(name, [None] * count) for name in TRANSACTION_SCHEMA.names}
    return pa.table(rows, schema=TRANSACTION_SCHEMA)


def answers(count: int) -> list[Decision]:
    """A decision of the model for each event, with its features."""
    rng = np.random.default_rng(1)
    reason = Reason(code="R07", text="two cards' worth of spending within an hour", kind="rule", cause="velocity")
    features = rng.lognormal(2.0, 1.5, (count, len(FEATURES))).astype("<f4")
    return [
        Decision(
            event_id=event_id(n),
            outcome="review" if n % 50 == 0 else "approve",
            score=score,
            path="model",
            reasons=[reason] if n % 50 == 0 else [],
            margin=4.0 * score - 4.0,
            rules_version="fraud-1a2b3c4d5e6f",
            model_version="fraud-3f9a1c0b7d21",
            worker="worker-1",
            taken_ns=1_000 * n,
            emitted_ns=1_000 * n + 400_000,
            stages_ns={"features": 51_234, "rules": 1_234, "model": 91_234, "table_wait": 0},
            features=features[n].tobytes(),
        )
        for n, score in enumerate(rng.random(count).tolist())
    ]
