"""How busy a stream is against its burn-in, and how empty its emptiest day."""

import numpy as np
import pytest

from harness.drift.settings import BLOCKS_PER_DAY, Settings
from harness.drift.volume import Volume

WEEK = np.tile(np.array([3, 1, 2, 9, 14, 15, 12, 6]) * 10, 7)


def closed(factors: dict[int, float], days: int = 35) -> list[tuple[float, float]]:
    """Surge and lull of every block; `factors` times the usual events in those blocks."""
    volume = Volume(Settings())
    found = []
    for block in range(days * BLOCKS_PER_DAY):
        volume.take(round(WEEK[block % len(WEEK)] * factors.get(block, 1.0)))
        found.append(volume.close())
    return found


def day(number: int, factor: float) -> dict[int, float]:
    return dict.fromkeys(range(number * BLOCKS_PER_DAY, (number + 1) * BLOCKS_PER_DAY), factor)


def test_a_stream_as_usual_is_neither_busy_nor_empty() -> None:
    assert set(closed({})) == {(1.0, 1.0)}


def test_a_busy_day_is_a_surge_for_as_long_as_windows_reach_back_to_it() -> None:
    found = closed(day(21, 1.5))
    surges = [surge for surge, _ in found]
    assert max(surges[: 21 * BLOCKS_PER_DAY]) == 1.0
    assert surges[22 * BLOCKS_PER_DAY - 1] == pytest.approx(1.5)
    assert surges[27 * BLOCKS_PER_DAY] == pytest.approx(1.5)
    assert 1.0 < surges[31 * BLOCKS_PER_DAY] < 1.1
    assert {lull for _, lull in found} == {1.0}


def test_a_day_that_lacks_hours_is_a_lull_for_three_days_more() -> None:
    lulls = [lull for _, lull in closed({21 * BLOCKS_PER_DAY + 4: 0.0, 21 * BLOCKS_PER_DAY + 5: 0.0})]
    assert lulls[22 * BLOCKS_PER_DAY - 1] == pytest.approx(33 / 62)
    assert lulls[24 * BLOCKS_PER_DAY] < 0.85
    assert lulls[26 * BLOCKS_PER_DAY] == 1.0
