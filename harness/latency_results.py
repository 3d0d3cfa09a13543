"""The part of results.json that says how long everything took: distributions, floor, waterfall, tail."""

from typing import Literal

import msgspec


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """A latency distribution in ms; null where nothing was measured."""

    count: int
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    max: float | None


class PathLatency(msgspec.Struct, frozen=True, kw_only=True):
    """Latency of the decisions of one path."""

    response: Distribution
    service: Distribution


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """A null scorer that only echoes, at the same rate on the same broker: what broker and harness cost alone.
    `negative` and `overflow` as in `LatencyResults`."""

    response: Distribution
    service: Distribution
    schedule_delay: Distribution
    duration_s: float
    lost: int
    negative: int = 0
    overflow: int = 0


class WaterfallStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an event's way: its own distribution in ms. `negative` values could not be: counted, not in it."""

    count: int
    negative: int
    p50: float | None
    p99: float | None
    p999: float | None


class MadeOf(msgspec.Struct, frozen=True, kw_only=True):
    """What quantile `quantile` of the response time is made of: `parts` (ms by step) add up to `response`. Seen on
    `events` events around it, whose response times lie between `low` and `high`."""

    quantile: float
    response: float
    events: int
    low: float
    high: float
    parts: dict[str, float]


class WaterfallResults(msgspec.Struct, frozen=True, kw_only=True):
    """The way of the measured events in steps, in order, and what P50, P99 and P99.9 (`at`) are made of, in ms.

    A step is named by the instant it ends with. A step that is not there was not told of: `broker` needs a broker that
    gives its append time, everything between `taken` and `received` a scorer that says when it took an event and
    answered; without, there is `answered`. The stamps of `contradicting` events cannot be true, and are not used.
    """

    events: int
    steps: dict[str, WaterfallStep]
    at: dict[str, MadeOf]
    contradicting: int


class TailResults(msgspec.Struct, frozen=True, kw_only=True):
    """Response time's quantile `quantile` with its distribution-free interval at `confidence`, and what the binomial
    test says of the limit: `over` of `samples` responses exceed it, and with so many over at least `needed` samples
    show that it is kept. A bound is null where the samples do not reach it."""

    quantile: float
    confidence: float
    samples: int
    low_ms: float | None
    high_ms: float | None
    limit_ms: float
    over: int
    finding: Literal["kept", "broken", "undecided"]
    needed: int


class LatencyResults(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies of the measured events, in ms. A lost event counts in `response` with the time-out.

    `explanation` runs from the decision's handing over to its explanation's; null where none followed. `tail` says how
    sure the P99 is, `waterfall` what it is made of. `negative` and `overflow` values cannot be: they are counted here,
    and are in no distribution. `minutes` are the response times by whole minute of receipt, measured ones only.
    """

    response: Distribution
    service: Distribution
    schedule_delay: Distribution
    floor: Floor | None
    by_path: dict[str, PathLatency]
    stages: dict[str, Distribution]
    negative: int
    overflow: int
    explanation: Distribution | None = None
    tail: TailResults | None = None
    waterfall: WaterfallResults | None = None
    minutes: list[Distribution] = []
