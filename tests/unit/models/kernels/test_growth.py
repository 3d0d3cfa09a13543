"""The traffic that kernels are measured with: everybody occurs, in event-time order; figures are of what was done."""

import itertools
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from models.features.batch import Status
from models.kernels import growth
from models.kernels.accounts import Accounts
from models.kernels.cards import Cards
from models.kernels.graph_speed import graph_speed
from models.kernels.growth import grow
from models.kernels.timing import time_calls
from models.kernels.traffic import CHOICES, Traffic, skewed, uniform

MAKERS: dict[str, Callable[[int, int], Traffic]] = {"cards": Cards, "accounts": Accounts}


@pytest.mark.parametrize("name", MAKERS)
def test_everybody_occurs_in_a_history_in_order(name: str) -> None:
    traffic = MAKERS[name](3_000, 1)
    tables = list(traffic.history())
    times = np.concatenate([table["event_time_ns"].to_numpy() for table in tables])
    assert (np.diff(times) >= 0).all()
    assert len(times) == traffic.history_events
    sides = [side for side in ("card_id", "from_account", "to_account") if side in tables[0].column_names]
    assert len(pa.chunked_array([c for t in tables for s in sides for c in t[s].chunks]).unique()) == 3_000


@pytest.mark.parametrize("name", MAKERS)
def test_measured_events_come_on_time_after_the_history_and_are_never_repeated(name: str) -> None:
    traffic = MAKERS[name](2_000, 1)
    for table in traffic.history():
        traffic.enter(table)
    before, rng = traffic.memory_bytes, np.random.default_rng(1)
    for first in (0, 500):
        messages = traffic.messages(uniform(2_000, 500, rng), first)
        status = traffic.compute(traffic.code(messages)).status
        assert set(status.tolist()) == {Status.ON_TIME}
    assert traffic.memory_bytes >= before > 2_000 * 300


def test_a_busy_few_have_half_of_the_skewed_events() -> None:
    for entities in (10_000, 100_000):
        drawn = skewed(entities, 200_000, np.random.default_rng(1))
        counts = np.sort(np.bincount(drawn, minlength=entities))[::-1]
        # eight in ten three times over, and those of everybody else that fall on them
        share = 0.8**3 + 0.8**2 * 0.2 / 5 + 0.8 * 0.2 / 25 + 0.2 / 125
        assert counts[: entities // 125].sum() == pytest.approx(share * 200_000, rel=0.02)
        assert drawn.min() >= 0


def test_times_are_of_each_call_by_its_parts() -> None:
    ticks = itertools.count(0, 10)
    timed = time_calls(lambda part: part, lambda _: None, [1, 2, 3], lambda: next(ticks))
    assert timed.coding_ns.tolist() == [10] * 3
    assert timed.computing_ns.tolist() == [10] * 3
    told = timed.told(6)
    assert (told["p50_ns"], told["max_ns"], told["event_ns"], told["event_coding_ns"]) == (20, 20, 10, 5)


@pytest.mark.parametrize("name", MAKERS)
def test_growing_tells_time_memory_and_pauses(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "freeze", lambda: None)
    for constant, value in (("ONE_BY_ONE", 50), ("BATCHES", 2), ("REHEARSED", 10)):
        monkeypatch.setattr(growth, constant, value)
    found = grow(lambda: MAKERS[name](5_000, 1), 1)
    assert found["entities"] == 5_000
    assert found["growing"]["max_ns"] >= found["growing"]["p50_ns"] > 0
    assert found["array_bytes"] > 5_000 * 300
    for mix in CHOICES:
        for way in ("one", "batch"):
            told = found["mixes"][mix][way]
            assert told["max_ns"] >= told["p99_ns"] >= told["p50_ns"] > 0


def test_graph_speed_closes_cycles_and_forgets_what_is_behind_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.kernels.graph_speed.freeze", lambda: None)
    found = graph_speed(20_000)
    assert found["in_cycles"] > 20
    assert found["window"]["entries_at_the_end"] <= 1.5 * found["window"]["entries_at_a_quarter"]
    assert found["one"]["per_s"] > 0
