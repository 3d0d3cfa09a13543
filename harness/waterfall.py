"""The stage waterfall: an event's way from the intended instant to its answer, step by step, and what the P50, the P99
and the P99.9 are made of.

A step is named by the instant it ends with. What a quantile is made of is seen on the events around it: each step's
share of the response time, averaged over the events whose response time lies within a few ranks of the quantile's, and
applied to the quantile itself. So the parts add up to it, and one event far out does not weigh more than another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.appended import RESOLUTION_NS
from harness.decision_rows import column_of, measured_batches, ordered_responses
from harness.latency import new_histogram, record, summarise

Int64s = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

STAGES = ("table_wait", "features", "rules", "model", "explain")
"""Parts of the service time, in the order the scorer takes them."""
STEPS = ("sent", "broker", "taken", *STAGES, "emitted", "received", "answered", "lost")
"""All steps in order. `emitted` is the rest of the service time, `answered` sent (or in the broker) → received where
the scorer does not say when it took the event and answered, `lost` the wait for an answer that never came."""
QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
WINDOW_SHARE = 0.005
"""Half the width of the window of ranks around a quantile, as a share of all events,"""
WINDOW_EVENTS = 20
"""and at the least as so many events; but never more than half the way to either end."""
APPENDED_SHARE_MIN = 0.9
"""Of the append times noted, so many must lie between sending and taking: otherwise the broker keeps another clock."""
INSTANTS = ("intended_ns", "sent_ns", "taken_ns", "emitted_ns", "received_ns")
COLUMNS = ("measured", "response_ns", "ordinal", *INSTANTS, *(f"stage_{stage}_ns" for stage in STAGES))


@dataclass(frozen=True, slots=True)
class Step:
    """A step's own distribution in ms over `count` events; `negative` further values could not be: counted apart."""

    count: int
    negative: int
    p50: float | None
    p99: float | None
    p999: float | None


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What the `quantile` of the response time, `response` ms, is made of: `parts` in ms by step, which add up to it,
    as seen on `events` events between `low` and `high` ms."""

    quantile: float
    response: float
    events: int
    low: float
    high: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Steps in order, and what each quantile is made of. The stamps of `contradicting` events cannot be true (answered
    before they were taken, taken before they were due, stages longer than the whole): they are not used."""

    events: int
    steps: dict[str, Step]
    at: dict[str, MadeOf]
    contradicting: int


@dataclass(frozen=True, slots=True)
class Window:
    """The events around a quantile: response times (ns) from `low` to `high`; `response` is the quantile's own."""

    quantile: float
    response: int
    low: int
    high: int


@dataclass(slots=True)
class _Sums:
    """Over the events of one window: shares of the response time by step; and of those whose append time is known, the
    broker's part of the way to each end, and that way."""

    events: int = 0
    steps: dict[str, float] = field(default_factory=dict)
    known: dict[str, list[float]] = field(default_factory=lambda: {"taken": [0.0, 0.0], "answered": [0.0, 0.0]})


@dataclass(frozen=True, slots=True)
class _Steps:
    """Steps of a batch: ns of each row, and which rows took it. `broker_ns` is part of `taken` or `answered` where
    `appended`."""

    response_ns: Int64s
    took: dict[str, tuple[Int64s, Mask]]
    broker_ns: Int64s
    appended: Mask
    noted: int
    contradicting: int


def windows_of(ordered: Int64s) -> dict[str, Window]:
    """The window of each quantile of `ordered` response times (ns), by name; ranks are the histogram's. Empty without
    events."""
    events = len(ordered)
    found = {}
    for name, q in QUANTILES.items() if events else ():
        rank = max(int(q * events + 0.5) - 1, 0)
        half = min(max(round(WINDOW_SHARE * events), WINDOW_EVENTS), rank // 2, (events - 1 - rank) // 2)
        found[name] = Window(q, *(int(ordered[place]) for place in (rank, rank - half, rank + half)))
    return found


def _stages(batch: pa.RecordBatch, service_ns: Int64s) -> tuple[dict[str, tuple[Int64s, Mask]], Int64s, Mask]:
    """ns by stage and which rows have it, their sum, and in which rows that sum can be."""
    given = {stage: column_of(batch, f"stage_{stage}_ns") for stage in STAGES}
    whole, possible = np.zeros(len(service_ns), np.int64), np.ones(len(service_ns), np.bool_)
    for spent, _ in given.values():
        possible &= (spent >= 0) & (spent <= service_ns - whole)
        whole = whole + np.where(possible, spent, 0)
    return given, whole, possible


def _steps_of(batch: pa.RecordBatch, appended_ns: Int64s | None) -> _Steps:
    given = {name: column_of(batch, name) for name in INSTANTS}
    intended, sent, taken, emitted, received = (given[name][0] for name in INSTANTS)
    response, _ = column_of(batch, "response_ns")
    answered = given["received_ns"][1]
    says = answered & given["taken_ns"][1] & given["emitted_ns"][1]
    in_order = (intended <= taken) & (taken <= emitted) & (emitted <= received)
    stages, in_stages, possible = _stages(batch, np.where(in_order, emitted - taken, np.int64(2**62)))
    stamped = says & in_order & possible
    bare = answered & ~stamped
    took = {"sent": (sent - intended, np.ones(len(response), np.bool_)), "taken": (taken - sent, stamped)}
    took |= {stage: (spent, there & stamped) for stage, (spent, there) in stages.items()}
    took["emitted"] = emitted - taken - in_stages, stamped
    took |= {"received": (received - emitted, stamped), "answered": (received - sent, bare)}
    took["lost"] = response - (sent - intended), ~answered
    broker, noted, appended = _broker(batch, appended_ns, sent, np.where(stamped, taken, received))
    contradicting = int((says & ~stamped).sum())
    return _Steps(response, took, broker, appended & answered, int((noted & answered).sum()), contradicting)


def _broker(
    batch: pa.RecordBatch, appended_ns: Int64s | None, sent: Int64s, until: Int64s
) -> tuple[Int64s, Mask, Mask]:
    """ns from `sent` to the broker's log, where that was noted, and where it can be. An append time says a millisecond;
    the event was appended after it was sent and before `until`, and the middle of what is left is taken."""
    if appended_ns is None:
        nowhere = np.zeros(len(sent), np.bool_)
        return np.zeros(len(sent), np.int64), nowhere, nowhere
    noted = appended_ns[batch.column("ordinal").to_numpy()]
    earliest, latest = np.maximum(noted, sent), np.minimum(noted + RESOLUTION_NS, until)
    return (earliest + latest) // 2 - sent, noted > 0, (noted > 0) & (earliest <= latest)


class _Gathered:
    """What is gathered over the batches: a histogram a step, and the sums of each window."""

    def __init__(self, windows: Mapping[str, Window]) -> None:
        self.windows = windows
        self.sums = {name: _Sums() for name in windows}
        self.histograms: dict[str, Any] = {}
        self.negative: dict[str, int] = {}
        self.contradicting = self.noted = self.appended = 0

    @property
    def broker_known(self) -> bool:
        """Whether the broker's clock can be believed."""
        return self.appended > 0 and self.appended >= APPENDED_SHARE_MIN * self.noted

    def add(self, steps: _Steps) -> None:
        self.contradicting += steps.contradicting
        self.noted += steps.noted
        self.appended += int(steps.appended.sum())
        for name, (spent, there) in steps.took.items():
            self._record(name, spent[there])
        self._record("broker", steps.broker_ns[steps.appended])
        for end in ("taken", "answered"):
            spent, there = steps.took[end]
            chosen = there & steps.appended
            self._record(f"broker-{end}", (spent - steps.broker_ns)[chosen])
        for name, window in self.windows.items():
            self._sum(self.sums[name], steps, (steps.response_ns >= window.low) & (steps.response_ns <= window.high))

    def _record(self, name: str, values: Int64s) -> None:
        if len(values):
            negative, _ = record(self.histograms.setdefault(name, new_histogram()), values)
            self.negative[name] = self.negative.get(name, 0) + negative

    def _sum(self, sums: _Sums, steps: _Steps, near: Mask) -> None:
        if not near.any():
            return
        sums.events += int(near.sum())
        weight = np.where(near, 1.0 / np.maximum(steps.response_ns, 1), 0.0)
        for name, (spent, there) in steps.took.items():
            if (near & there).any():
                sums.steps[name] = sums.steps.get(name, 0.0) + float((spent * weight)[there].sum())
        for end, known in sums.known.items():
            spent, there = steps.took[end]
            chosen = there & steps.appended
            known[0] += float((steps.broker_ns * weight)[chosen].sum())
            known[1] += float((spent * weight)[chosen].sum())

    def step(self, name: str) -> Step | None:
        """A step's distribution; behind the broker, where that is known of any event."""
        behind = f"broker-{name}"
        key = behind if self.broker_known and behind in self.histograms else name
        if key not in self.histograms or (name == "broker" and not self.broker_known):
            return None
        found = summarise(self.histograms[key])
        p50, p99, p999 = (None if p is None else round(p, 6) for p in (found.p50, found.p99, found.p999))
        return Step(found.count, self.negative[key], p50, p99, p999)

    def made_of(self, name: str) -> MadeOf:
        """What a quantile is made of."""
        window, sums = self.windows[name], self.sums[name]
        spent = dict(sums.steps)
        for end, (in_broker, whole) in sums.known.items():
            if self.broker_known and whole > 0 and end in spent:
                part = spent[end] * in_broker / whole
                spent["broker"] = spent.get("broker", 0.0) + part
                spent[end] -= part
        scale = window.response / 1e6 / max(sums.events, 1)
        return MadeOf(
            quantile=window.quantile,
            response=_ms(window.response),
            events=sums.events,
            low=_ms(window.low),
            high=_ms(window.high),
            parts={step: round(spent[step] * scale, 6) for step in STEPS if step in spent},
        )


def _ms(ns: int) -> float:
    return round(ns / 1e6, 6)


def measure_waterfall(decisions: Path, appended_ns: Int64s | None) -> Waterfall | None:
    """The waterfall of the measured rows of a decisions.parquet, read a row group at a time; None when there are none.

    `appended_ns`: by ordinal, the earliest instant (ns, monotonic) at which the broker can have had the event, 0 where
    it is not known; None where there was no broker.
    """
    windows = windows_of(ordered_responses(decisions))
    if not windows:
        return None
    gathered = _Gathered(windows)
    for batch in measured_batches(decisions, COLUMNS):
        gathered.add(_steps_of(batch, appended_ns))
    steps = {name: gathered.step(name) for name in STEPS if name != "lost"}
    events = gathered.histograms["sent"].total_count + gathered.negative["sent"]
    at = {name: gathered.made_of(name) for name in windows}
    found = {name: step for name, step in steps.items() if step is not None}
    return Waterfall(int(events), found, at, gathered.contradicting)
