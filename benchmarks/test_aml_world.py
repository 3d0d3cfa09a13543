"""How fast the money-laundering world grows: transfers a second on one core, tables included; no slower when large.

What is asserted are ratios of CPU time on the same machine, never a time.
"""

import itertools
import time
from typing import Any

import msgspec
import pyarrow as pa

from benchmarks.by_turns import by_turns, note_rate
from streams.transfer import Transfer
from streams.worlds import AmlWorldConfig, build_world

BLOCKS = 4
LARGE = 5
SLOWER_MAX = 1.3
DEARER_MAX = 1.8
GROWN_MAX = 2.3


def grow(config: AmlWorldConfig) -> tuple[int, float]:
    """Live through some weeks after the first; return how many transfers there were, and CPU seconds a transfer."""
    blocks = build_world("aml", config, seed=1).blocks()
    next(blocks)
    begun = time.process_time()
    transfers = sum(len(transfers) for transfers, _ in itertools.islice(blocks, BLOCKS))
    return transfers, (time.process_time() - begun) / transfers


def encode(table: pa.Table) -> list[bytes]:
    """One JSON message a row."""
    encoder, columns = msgspec.json.Encoder(), [column.to_pylist() for column in table.columns]
    names = table.column_names
    return [encoder.encode(Transfer(**dict(zip(names, row, strict=True)))) for row in zip(*columns, strict=True)]


def test_world_of_the_default_size(benchmark: Any) -> None:
    world = build_world("aml", AmlWorldConfig(), seed=1)
    transfers = benchmark(lambda: sum(len(block) for block, _ in itertools.islice(world.blocks(), BLOCKS)))
    note_rate(benchmark, "events", transfers)
    assert transfers > BLOCKS * 3 * AmlWorldConfig().customers


def test_a_transfer_costs_no_more_in_a_large_world() -> None:
    default = AmlWorldConfig()
    usual = min(grow(default)[1] for _ in range(3))
    large = min(grow(AmlWorldConfig(customers=LARGE * default.customers))[1] for _ in range(2))
    assert large < SLOWER_MAX * usual


def test_laundering_and_look_alikes_cost_little_beside_genuine_life() -> None:
    quiet = AmlWorldConfig(laundering_share=0.0001, look_alike_factor=0.0)
    assert min(grow(AmlWorldConfig())[1] for _ in range(3)) < DEARER_MAX * min(grow(quiet)[1] for _ in range(3))


def test_growing_eight_transfers_costs_little_more_than_encoding_one() -> None:
    world = build_world("aml", AmlWorldConfig(), seed=1)
    table = pa.concat_tables([transfers for transfers, _ in itertools.islice(world.blocks(), BLOCKS)])
    eighth = table.slice(0, len(table) // 8)
    turns = by_turns(lambda _: list(itertools.islice(world.blocks(), BLOCKS)), lambda _: encode(eighth), rounds=5)
    turns.hold("encoding an eighth of the transfers", GROWN_MAX)
