"""What the monitors were worth where the drift is known: how late, how often for nothing, and blamed on what.

The truth comes in here alone, after the stream: no monitor ever sees it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from harness.drift.alarm import Alarm
from harness.drift.batch import Int64s
from harness.drift.blame import Blamed, blame
from harness.drift.monitors.csi import NAME as CSI
from harness.drift.monitors.feature_means import NAME as MEANS
from harness.drift.monitors.repeats import NAME as REPEATS
from streams.labels import NS_PER_DAY

EVENTS_PER_RATE = 100_000
NOT_BEGUN = -1


class KnownDrift(Protocol):
    """A drift that was injected, as its injector knows it; times are event times. `blamed`: how the names of the
    features begin that one would rightly blame."""

    @property
    def kind(self) -> str:
        """Of which kind."""

    @property
    def is_control(self) -> bool:
        """Nothing that may be called drift."""

    @property
    def onset_ns(self) -> int:
        """When it begins."""

    @property
    def until_ns(self) -> int:
        """When it is over."""

    @property
    def blamed(self) -> tuple[str, ...]:
        """Rightly blamed."""


@dataclass(frozen=True, slots=True)
class Delay:
    """From the onset to an alarm: events and days of event time."""

    events: int
    days: float
    monitor: str
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class DriftAssessment:
    """One drift (or control). `delay` is None where nothing was noticed; `by_monitor` is each monitor's own first.

    An alarm that all events' values of a feature moved which the drift leaves alone is no notice of it: such are
    counted in `beside`. `is_blamed_rightly`: whether a feature rightly to be blamed is among those blamed (None: there
    is none).
    """

    kind: str
    is_control: bool
    onset_ns: int
    delay: Delay | None
    by_monitor: dict[str, Delay]
    blamed: tuple[Blamed, ...]
    is_blamed_rightly: bool | None
    beside: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"blamed": [asdict(feature) for feature in self.blamed]}


@dataclass(frozen=True, slots=True)
class Assessment:
    """A whole stream. False alarms are those before the first onset, and all where there are only controls;
    `events_watched` is how many events they are counted over: those after the burn-in."""

    drifts: tuple[DriftAssessment, ...]
    false_alarms: int
    events_watched: int

    @property
    def false_alarms_per_100k(self) -> float | None:
        """Per 100,000 events watched; None where there were none to watch."""
        return EVENTS_PER_RATE * self.false_alarms / self.events_watched if self.events_watched else None


def assess(
    alarms: Sequence[Alarm],
    worst: Sequence[Alarm],
    truth: Sequence[KnownDrift],
    event_time_ns: Int64s,
    burn_in_ns: int,
) -> Assessment:
    """Hold a detector's `alarms` (and its `worst`, for blame) against the drifts of a stream.

    `event_time_ns` [n] of all events by ordinal. An alarm is credited to the latest drift that began before it, and to
    all that began with that one; with none begun, or only controls, it is false.
    """
    drifts = sorted((drift for drift in truth if not drift.is_control), key=lambda drift: drift.onset_ns)
    times = np.sort(event_time_ns)
    first_ns = drifts[0].onset_ns if drifts else int(times[-1]) + 1 if len(times) else 0
    watched_from = int(times[0]) + burn_in_ns if len(times) else 0
    watched = int(np.count_nonzero((times >= watched_from) & (times < first_ns)))
    credited: dict[int, list[Alarm]] = {}
    for alarm in alarms:
        begun = [drift.onset_ns for drift in drifts if drift.onset_ns <= alarm.event_time_ns]
        credited.setdefault(begun[-1] if begun else NOT_BEGUN, []).append(alarm)
    found = []
    for drift in drifts:
        told = credited.get(drift.onset_ns, [])
        found.append(_assessed(drift, told, [alarm for alarm in worst if _told(alarm, told)], times))
    controls = [
        DriftAssessment(each.kind, True, each.onset_ns, None, {}, (), None) for each in truth if each.is_control
    ]
    return Assessment((*found, *controls), len(credited.get(NOT_BEGUN, [])), watched)


def _told(alarm: Alarm, credited: Sequence[Alarm]) -> bool:
    """Whether what stood furthest out of its bounds was alarmed about since this drift began."""
    return any((told.monitor, told.name, told.group) == (alarm.monitor, alarm.name, alarm.group) for told in credited)


def _assessed(drift: KnownDrift, alarms: Sequence[Alarm], worst: Sequence[Alarm], times: Int64s) -> DriftAssessment:
    by_monitor: dict[str, Delay] = {}
    for alarm in sorted(alarms, key=lambda alarm: alarm.event_time_ns):
        by_monitor.setdefault(alarm.monitor, _delay(drift, alarm, times))
    blamed = blame(worst)
    is_right = None
    if drift.blamed:
        is_right = any(found.feature.startswith(drift.blamed) for found in blamed) or _is_repeated(drift, by_monitor)
    of_it = [alarm for alarm in alarms if _is_of(drift, alarm)]
    first = min(of_it, key=lambda alarm: (alarm.event_time_ns, alarm.monitor), default=None)
    delay = None if first is None else _delay(drift, first, times)
    beside = len(alarms) - len(of_it)
    return DriftAssessment(drift.kind, False, drift.onset_ns, delay, by_monitor, blamed, is_right, beside)


def _is_of(drift: KnownDrift, alarm: Alarm) -> bool:
    """Whether the alarm can be the drift's doing. Scores, rules and labels depend on everything."""
    return alarm.monitor not in (CSI, MEANS) or alarm.name.startswith(drift.blamed)


def _delay(drift: KnownDrift, alarm: Alarm, times: Int64s) -> Delay:
    first, last = np.searchsorted(times, (drift.onset_ns, alarm.event_time_ns), side="left")
    days = (alarm.event_time_ns - drift.onset_ns) / NS_PER_DAY
    return Delay(int(last - first) + 1, days, alarm.monitor, alarm.name, alarm.group)


def _is_repeated(drift: KnownDrift, by_monitor: Mapping[str, Delay]) -> bool:
    """A feed that comes again is blamed on its repeats: that says more than any feature."""
    return drift.kind == "duplicate-feed" and REPEATS in by_monitor


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """A figure of quality before a drift's onset and from it on, each of its own events: never pooled."""

    before: float | None
    after: float | None

    @property
    def lost(self) -> float | None:
        """How much less it is after."""
        return None if self.before is None or self.after is None else self.before - self.after


def before_after(before: Mapping[str, Any], after: Mapping[str, Any], names: Sequence[str]) -> dict[str, BeforeAfter]:
    """Figures of two quality results (`results.json`'s `quality`, or a part of it), each measured over the events of
    one side of the onset. What one lacks is None."""
    return {name: BeforeAfter(_number(before.get(name)), _number(after.get(name))) for name in names}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
