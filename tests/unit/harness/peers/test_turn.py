"""What a turn came to."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.measures import Held
from harness.peers.turn import Stage, Turn, judged, quantile_ms
from harness.slo_option import LatencyLimit

LIMIT = LatencyLimit(0.99, 100.0)
MS = 1_000_000


def held(events: int = 1_000, late_ns: int = 0) -> Held:
    schedule = np.arange(events, dtype=np.int64) * MS
    return Held(schedule, schedule + 5 + late_ns * np.arange(events), 5, 0)


def test_a_rate_is_held_when_the_quantile_keeps_the_limit() -> None:
    response = np.full(1_000, 10 * MS)
    response[:10] = 900 * MS
    assert judged(response, 0, held(), LIMIT) == (None, False)
    response[:11] = 900 * MS
    assert judged(response, 0, held(), LIMIT) == ("P99 is 900.0 ms", False)


def test_nothing_may_be_lost() -> None:
    why, by_harness = judged(np.full(1_000, MS), 3, held(), LIMIT)
    assert (why, by_harness) == ("3 events were not answered in time", False)


def test_a_load_that_was_not_sent_is_the_harness_doing() -> None:
    why, by_harness = judged(np.full(1_000, MS), 3, held(late_ns=MS), LIMIT)
    assert why is not None
    assert "could be sent" in why
    assert by_harness


@pytest.mark.parametrize(("quantile", "expected"), [(None, False), (900.0, False), (1_001.0, True)])
def test_a_backlog_fails_by_far(quantile: float | None, expected: bool) -> None:
    nowhere: Any = None
    stage = Stage(nowhere, nowhere, LIMIT, Path(), Path(), "t")
    assert stage.is_far(Turn("x", 1.0, held=False, quantile_ms=quantile)) == expected
    assert not stage.is_far(Turn("x", 1.0, held=True, quantile_ms=quantile))


def test_nothing_measured_is_not_held() -> None:
    assert judged(np.zeros(0, np.int64), 0, held(), LIMIT)[0] is not None
    assert quantile_ms(np.zeros(0, np.int64), 0.5) is None


@pytest.mark.parametrize(("q", "expected"), [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0)])
def test_quantiles_are_order_statistics(q: float, expected: float) -> None:
    assert quantile_ms(np.arange(1, 1_001, dtype=np.int64) * MS, q) == expected
