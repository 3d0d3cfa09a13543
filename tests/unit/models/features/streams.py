"""Small random streams of card transactions: ties, late and repeated events, nulls, long silences."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from models.features.batch import FeatureBlock, Vocabulary
from streams.labels import LABEL_SCHEMA, NS_PER_DAY, NS_PER_HOUR
from streams.transaction import TRANSACTION_SCHEMA, CardTransaction, Channel

VOCABULARY = Vocabulary(("fuel", "food", "travel"), ("chip", "online"))
START_NS = 19_000 * NS_PER_DAY
CHANNELS: tuple[Channel | None, ...] = ("chip", "online", "atm", None)


@dataclasses.dataclass(frozen=True)
class StreamShape:
    """How long and how wild a random stream is."""

    events: int = 400
    cards: int = 4
    days: float = 75.0
    late_share: float = 0.2
    late_days_max: float = 40.0
    repeat_share: float = 0.05
    merchants: int = 60
    devices: int = 12
    refund_share: float = 0.15


ORDERLY = StreamShape(late_share=0.0, repeat_share=0.0)


def random_stream(seed: int, shape: StreamShape = StreamShape()) -> list[CardTransaction]:
    """Transactions in arrival order."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1.0, shape.events) * (rng.random(shape.events) > 0.15)  # the rest are ties
    times = START_NS + np.cumsum(gaps / gaps.sum() * shape.days * NS_PER_DAY).astype(np.int64)
    times = times // NS_PER_HOUR * NS_PER_HOUR if seed % 2 else times  # whole hours hit the windows' edges
    behind = rng.exponential(0.1, shape.events) ** 2 * shape.late_days_max * NS_PER_DAY
    late = rng.random(shape.events) < shape.late_share
    times = np.where(late, times - behind.astype(np.int64), times)
    found: list[CardTransaction] = []
    for number, time_ns in enumerate(times.tolist()):
        if found and rng.random() < shape.repeat_share:
            found.append(found[int(rng.integers(len(found)))])
        else:
            found.append(_transaction(rng, shape, number, time_ns))
    return found


def _transaction(rng: np.random.Generator, shape: StreamShape, number: int, time_ns: int) -> CardTransaction:
    def one_of(kind: str, many: int) -> str | None:
        place = int(rng.integers(-many // 4, many))
        return f"{kind}{place}" if place >= 0 else None

    located = rng.random() < 0.8
    return CardTransaction(
        event_id=f"event-{number}-é",
        event_time_ns=time_ns,
        card_id=f"card{rng.integers(shape.cards)}",
        amount_minor=int(rng.integers(0, 50_000)) if rng.random() < 0.9 else 0,
        currency="EUR",
        merchant_id=one_of("merchant", shape.merchants),
        terminal_id=one_of("terminal", shape.merchants * 2),
        device_id=one_of("device", shape.devices),
        category=("fuel", "food", "travel", "unheard", None)[int(rng.integers(5))],
        channel=CHANNELS[int(rng.integers(4))],
        country=("DE", "FR", "IT", "US", "GB", "ES", "PL", "AT", "CH", "SE", None)[int(rng.integers(11))],
        latitude=float(rng.uniform(-90, 90)) if located else None,
        longitude=float(rng.uniform(-180, 180)) if located or rng.random() < 0.5 else None,
        is_refund=(True if rng.random() < shape.refund_share else (None, False)[int(rng.integers(2))]),
    )


def as_table(events: Sequence[CardTransaction]) -> pa.Table:
    """The same transactions as columns."""
    return pa.Table.from_pylist([msgspec.to_builtins(event) for event in events], schema=TRANSACTION_SCHEMA)


def random_labels(seed: int, events: Sequence[CardTransaction], fraud_share: float = 0.2) -> pa.Table:
    """Labels of the events; most frauds are reported within days, some never."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for event in events:
        fraud = bool(rng.random() < fraud_share)
        reported = event.event_time_ns + int(rng.exponential(4.0) * NS_PER_DAY)
        rows.append(
            {
                "event_id": event.event_id,
                "is_fraud": fraud,
                "scenario": "lost_card" if fraud else None,
                "reported_at_ns": reported if fraud and rng.random() < 0.9 else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)


def same_bits(one: FeatureBlock, other: FeatureBlock) -> bool:
    """Whether two blocks hold the same rows, NaN for NaN, bit for bit."""
    return one.values.tobytes() == other.values.tobytes() and one.status.tobytes() == other.status.tobytes()


def joined(blocks: Sequence[FeatureBlock]) -> FeatureBlock:
    """Blocks one after the other."""
    values = np.concatenate([block.values for block in blocks])
    return FeatureBlock(values, np.concatenate([block.status for block in blocks]))
