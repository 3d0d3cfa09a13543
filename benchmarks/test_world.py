"""How fast the card world grows: events a second on one core, tables included."""

import itertools
from typing import Any

from streams.worlds import FraudWorldConfig, build_world

BLOCKS = 4


def grow(cards: int) -> int:
    """Live through four weeks; return how many events there were."""
    world = build_world("fraud", FraudWorldConfig(cards=cards), seed=1)
    return sum(len(events) for events, _ in itertools.islice(world.blocks(), BLOCKS))


def test_world_of_the_default_size(benchmark: Any) -> None:
    world = build_world("fraud", FraudWorldConfig(), seed=1)
    events = benchmark(lambda: sum(len(events) for events, _ in itertools.islice(world.blocks(), BLOCKS)))
    benchmark.extra_info["events"] = events
    benchmark.extra_info["events_per_s"] = events / benchmark.stats["mean"] if benchmark.stats else None
    assert events == grow(FraudWorldConfig().cards)
