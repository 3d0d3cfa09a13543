"""The proofs pass on an instrument that is right, and every way of breaking it makes one fail."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.latency import LatencyLog
from harness.selftest.bench import FIRST_EVENT_NS, TIMEOUT_S, Measured, Shape, event_ids, plain_events
from harness.selftest.findings import Finding
from harness.selftest.planted import Plan
from harness.selftest.proofs import (
    prove_delay,
    prove_faults,
    prove_speed,
    prove_stall,
    prove_stopped_load,
    stall_quantile_s,
)
from harness.selftest.recorder import prove_extremes
from streams.labels import NS_PER_DAY
from streams.transaction import TRANSACTION_SCHEMA

FLOOR_NS = 1_500_000
Break = Callable[[dict[str, Any]], None]


def simulated(broken: Break | None = None) -> Callable[..., Measured]:
    """A whole run as arithmetic: what broker, planted scorer and a right instrument would have said."""

    def run(name: str, shape: Shape, planted: Plan | None, stop_load_s: float = 0.0) -> Measured:
        planted = planted or Plan()
        count = round(shape.rate_per_s * (shape.warmup_s + shape.measured_s))
        intended = (np.arange(count) / shape.rate_per_s * 1e9).astype(np.int64)
        stopped_ns = round((shape.warmup_s + shape.measured_s / 3.0) * 1e9)
        sent = _held_up(intended, stopped_ns, round(stop_load_s * 1e9))
        taken = _held_up(sent, round(planted.stall_at_s * 1e9), round(planted.stall_s * 1e9))
        service = np.full(count, round(planted.delay_ms * 1e6))
        silent = np.isin(event_ids(count), [*planted.lose, *planted.garbled])
        response = np.where(silent, round(TIMEOUT_S * 1e9), taken + service + FLOOR_NS - intended)
        said: dict[str, Any] = {
            "response": response, "service": service, "schedule_delay": sent - intended, "sent": sent,
            "measured": intended >= shape.warmup_s * 1e9, "achieved": 1.0,
            "counts": {"lost": int(silent.sum()), "duplicated": len(planted.twice), "malformed": len(planted.garbled),
                       "unknown": planted.unknown, "reordered": len(planted.swapped)},
        }  # fmt: skip
        if broken is not None:
            broken(said)
        log = LatencyLog()
        for tag in ("response", "service", "schedule_delay"):
            log.add(tag, said[tag][said["measured"][: len(said[tag])]])
        rows = pa.table({"response_ns": said["response"]})
        return Measured(said["counts"], log, rows, int(said["measured"].sum()), said["achieved"])

    return run


def _held_up(times: Any, from_ns: int, for_ns: int) -> Any:
    held = (times >= from_ns) & (times < from_ns + for_ns)
    return np.where(held, from_ns + for_ns, times)


def closed_loop(said: dict[str, Any]) -> None:
    """Counts from when the scorer took the event: coordinated omission."""
    said["response"] = said["service"] + FLOOR_NS


def counts_from_sending(said: dict[str, Any]) -> None:
    said["response"] = said["response"] - said["schedule_delay"]


def hides_own_lateness(said: dict[str, Any]) -> None:
    said["schedule_delay"] = np.zeros_like(said["schedule_delay"])


def loses_a_sample(said: dict[str, Any]) -> None:
    said["response"] = said["response"][:-1]


def leaves_the_lost_out(said: dict[str, Any]) -> None:
    said["response"] = said["response"][said["response"] < TIMEOUT_S * 1e9]


def is_too_slow(said: dict[str, Any]) -> None:
    said["achieved"] = 0.98


def measures_too_few(said: dict[str, Any]) -> None:
    said["measured"][-1] = False


def miscounts(name: str) -> Break:
    def broken(said: dict[str, Any]) -> None:
        said["counts"][name] += 1

    return broken


def faults(run: Callable[..., Measured]) -> list[Finding]:
    return prove_faults(run, np.random.default_rng(1))


@pytest.mark.parametrize("prove", [prove_stall, prove_delay, prove_stopped_load, prove_speed, faults])
def test_a_right_instrument_passes(prove: Callable[..., list[Finding]]) -> None:
    assert [found for found in prove(simulated()) if not found.passed] == []


@pytest.mark.parametrize(
    ("prove", "broken", "wrong"),
    [
        (prove_stall, closed_loop, {"response P99"}),
        (prove_stopped_load, counts_from_sending, {"response P99"}),
        (prove_stopped_load, hides_own_lateness, {"schedule delay P99"}),
        (prove_speed, is_too_slow, {"rate sent, of the rate asked for"}),
        (prove_speed, measures_too_few, {"events measured"}),
        (prove_speed, miscounts("lost"), {"lost"}),
        (faults, loses_a_sample, {"rows"}),
        (faults, leaves_the_lost_out, {"rows", "at the ceiling"}),
        (faults, miscounts("lost"), {"lost"}),
        (faults, miscounts("duplicated"), {"answered twice"}),
        (faults, miscounts("reordered"), {"out of order"}),
        (faults, miscounts("unknown"), {"never sent"}),
        (prove_stall, miscounts("lost"), {"lost"}),
    ],
)
def test_a_broken_instrument_fails(prove: Callable[..., list[Finding]], broken: Break, wrong: set[str]) -> None:
    assert {found.what for found in prove(simulated(broken)) if not found.passed} == wrong


def test_extremes_are_counted() -> None:
    assert all(found.passed for found in prove_extremes(LatencyLog()))


def test_dropped_negatives_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.latency.record", lambda histogram, values: (0, 0))
    assert {found.what for found in prove_extremes(LatencyLog()) if not found.passed} >= {"negative values counted"}


def test_theory_of_one_stall() -> None:
    assert stall_quantile_s(0.99, 1.4, 20.0) == pytest.approx(1.2)
    assert stall_quantile_s(0.5, 1.4, 20.0) == 0.0


def test_plain_events_are_one_day_of_cards_in_turn() -> None:
    events = plain_events(7, 3)
    assert events.schema == TRANSACTION_SCHEMA
    assert events["event_id"].to_pylist() == event_ids(7)
    assert events["card_id"].to_pylist()[:4] == ["card-0", "card-1", "card-2", "card-0"]
    times = events["event_time_ns"].to_pylist()
    assert times[0] == FIRST_EVENT_NS
    assert (times[-1] - times[0]) < NS_PER_DAY // 1_000
