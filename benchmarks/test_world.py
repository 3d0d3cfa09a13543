"""How fast the card world grows: events a second on one core, tables included; and that it grows no slower when large.

What is asserted are ratios of CPU time on the same machine, never a time.
"""

import itertools
import time
from typing import Any

import pyarrow as pa

from benchmarks.by_turns import by_turns, note_rate
from streams.codec import encode, table_to_transactions
from streams.worlds import FraudWorldConfig, build_world

BLOCKS = 4
LARGE = 5
SLOWER_MAX = 2.0
DEARER_MAX = 3.0
GROWN_MAX = 1.65


def grow(config: FraudWorldConfig) -> tuple[int, float]:
    """Live through some weeks after the first; return how many events there were, and CPU seconds an event."""
    blocks = build_world("fraud", config, seed=1).blocks()
    next(blocks)
    begun = time.process_time()
    events = sum(len(events) for events, _ in itertools.islice(blocks, BLOCKS))
    return events, (time.process_time() - begun) / events


def one_by_one(table: pa.Table) -> list[bytes]:
    return [encode(event) for event in table_to_transactions(table)]


def test_world_of_the_default_size(benchmark: Any) -> None:
    world = build_world("fraud", FraudWorldConfig(), seed=1)
    events = benchmark(lambda: sum(len(events) for events, _ in itertools.islice(world.blocks(), BLOCKS)))
    note_rate(benchmark, "events", events)
    assert events > 0.9 * BLOCKS * FraudWorldConfig().events_per_block


def test_an_event_costs_no_more_in_a_large_world() -> None:
    default = FraudWorldConfig()
    usual = min(grow(default)[1] for _ in range(3))
    large = min(grow(FraudWorldConfig(cards=LARGE * default.cards))[1] for _ in range(2))
    assert large < SLOWER_MAX * usual


def test_fraud_and_look_alikes_cost_little_beside_ordinary_spending() -> None:
    quiet = FraudWorldConfig(fraud_share=0.0005, look_alike_factor=0.0)
    assert min(grow(FraudWorldConfig())[1] for _ in range(3)) < DEARER_MAX * min(grow(quiet)[1] for _ in range(3))


def test_growing_eight_events_costs_little_more_than_encoding_one() -> None:
    blocks = build_world("fraud", FraudWorldConfig(), seed=1).blocks()
    table = pa.concat_tables([events for events, _ in itertools.islice(blocks, BLOCKS)])
    eighth = table.slice(0, len(table) // 8)
    turns = by_turns(lambda _: grow(FraudWorldConfig()), lambda _: one_by_one(eighth), rounds=3)
    turns.hold("encoding an eighth of the events, one by one", GROWN_MAX)
