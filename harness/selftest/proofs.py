"""The proofs: each plants a fault whose measure is known, runs it through the whole instrument, and compares."""

import itertools
from typing import Protocol

import numpy as np

from harness.selftest.bench import TIMEOUT_S, Measured, Shape, event_ids
from harness.selftest.findings import Finding, at_most, exactly, within
from harness.selftest.planted import Plan


class Runner(Protocol):
    """Runs a planted scorer: `TestBench.run`."""

    def __call__(self, name: str, shape: Shape, planted: Plan | None, stop_load_s: float = 0.0) -> Measured:
        """See `TestBench.run`."""
        ...


STALL_S = 1.4
STALL = Shape(rate_per_s=2_000, measured_s=20.0)
TIME_SHARE = 0.05
"""How far a time may lie from theory."""
DELAY_MS = 50.0
DELAY = Shape(rate_per_s=1_000, measured_s=6.0)
STOP_S = 1.0
STOPPED = Shape(rate_per_s=1_000, measured_s=6.0)
STOP_SHARE = 0.10
"""A signal is not delivered to the millisecond."""
SPEED = Shape(rate_per_s=20_000, measured_s=6.0, warmup_s=3.0, cards=2_000)
RATE_SHARE = 0.01
FAULTS = Shape(rate_per_s=1_000, measured_s=6.0, cards=50, partitions=1)
"""One partition: the broker promises order within a partition only, so only there can a swap be planted exactly."""
LOST, TWICE, GARBLED, SWAPPED, UNKNOWN = 37, 23, 11, 17, 5


def stall_quantile_s(q: float, stall_s: float, span_s: float) -> float:
    """Response time's quantile for one stall in evenly arriving events: S − (1 − q) · T while that is positive.

    Events due in the stall wait for what is left of it, evenly between 0 and S; a share x of all waits longer than
    S − x · T. (Gil Tene's argument against coordinated omission; the example of wrk2's README: S 1.4 s, 2,000/s.)
    """
    return max(0.0, stall_s - (1.0 - q) * span_s)


def prove_stall(run: Runner) -> list[Finding]:
    """A pause of 1.4 s at 2,000/s shows in the response time by theory, and service time is blind to it."""
    proof = "stall"
    stalled = run("stall", STALL, Plan(stall_at_s=STALL.warmup_s + STALL.measured_s / 3.0, stall_s=STALL_S))
    expected_ms = 1e3 * stall_quantile_s(0.99, STALL_S, STALL.measured_s)
    blind_ms = expected_ms / 10.0
    return [
        within(proof, "response P99", expected_ms, stalled.ms("response", 0.99), TIME_SHARE),
        at_most(proof, "service P99, blind to it", "ms", blind_ms, stalled.ms("service", 0.99)),
        exactly(proof, "lost", 0, int(stalled.counts["lost"])),
    ]


def prove_stopped_load(run: Runner) -> list[Finding]:
    """A load process that is stopped for a second is late by the schedule, and so are its events: nothing is hidden."""
    proof = "stopped load"
    stopped = run("stopped", STOPPED, Plan(), stop_load_s=STOP_S)
    expected_ms = 1e3 * stall_quantile_s(0.99, STOP_S, STOPPED.measured_s)
    return [
        within(proof, "schedule delay P99", expected_ms, stopped.ms("schedule_delay", 0.99), STOP_SHARE),
        within(proof, "response P99", expected_ms, stopped.ms("response", 0.99), STOP_SHARE),
        exactly(proof, "lost", 0, int(stopped.counts["lost"])),
    ]


def prove_speed(run: Runner) -> list[Finding]:
    """Load, receiver and collector hold 20,000 events/s beside a broker and a scorer that only echoes."""
    proof = "speed"
    fast = run("speed", SPEED, None)
    return [
        Finding(proof, "rate sent, of the rate asked for", "×", 1.0, fast.achieved_share, RATE_SHARE),
        exactly(proof, "events measured", round(SPEED.rate_per_s * SPEED.measured_s), fast.events),
        exactly(proof, "lost", 0, int(fast.counts["lost"])),
    ]


def prove_delay(run: Runner) -> list[Finding]:
    """A constant delay of 50 ms is found on top of what the same way takes without it."""
    proof = "constant delay"
    plain, late = run("plain", DELAY, Plan()), run("delay", DELAY, Plan(delay_ms=DELAY_MS))
    added_ms = late.ms("response", 0.5) - plain.ms("response", 0.5)
    return [
        within(proof, "response P50, added", DELAY_MS, added_ms, TIME_SHARE),
        within(proof, "service P50", DELAY_MS, late.ms("service", 0.5), TIME_SHARE),
        exactly(proof, "events measured", round(DELAY.rate_per_s * DELAY.measured_s), late.events),
    ]


def prove_faults(run: Runner, rng: np.random.Generator) -> list[Finding]:
    """Losses, duplicates, garbled answers, phantoms and swaps are found exactly, and the lost count at the ceiling."""
    proof = "planted faults"
    planted = _choose_faults(rng)
    found = run("faults", FAULTS, planted)
    lost = LOST + GARBLED
    ceiling = found.decisions.filter(np.asarray(found.decisions["response_ns"].to_numpy() >= TIMEOUT_S * 1e9))
    return [
        exactly(proof, "lost", lost, int(found.counts["lost"])),
        exactly(proof, "answered twice", TWICE, int(found.counts["duplicated"])),
        exactly(proof, "garbled", GARBLED, int(found.counts["malformed"])),
        exactly(proof, "never sent", UNKNOWN, int(found.counts["unknown"])),
        exactly(proof, "out of order", SWAPPED, int(found.counts["reordered"])),
        exactly(proof, "at the ceiling", lost, len(ceiling)),
        exactly(proof, "rows", _events(FAULTS), len(found.decisions)),
    ]


def _events(shape: Shape) -> int:
    return round(shape.rate_per_s * (shape.warmup_s + shape.measured_s))


def _choose_faults(rng: np.random.Generator) -> Plan:
    """Disjoint events, far enough from each other's card neighbours that no fault hides another."""
    total = LOST + TWICE + GARBLED + SWAPPED
    every = _events(FAULTS) // (total + 2)
    spots = (np.arange(1, total + 1) * every + rng.integers(0, max(1, every // 4), total)).tolist()
    ids = event_ids(_events(FAULTS))
    chosen = iter([ids[spot] for spot in rng.permutation(spots).tolist()])
    lose, twice, garbled, swapped = (
        frozenset(itertools.islice(chosen, count)) for count in (LOST, TWICE, GARBLED, SWAPPED)
    )
    return Plan(lose=lose, twice=twice, garbled=garbled, swapped=swapped, unknown=UNKNOWN)
