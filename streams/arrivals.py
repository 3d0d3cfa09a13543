"""Arrival processes: the intended instant of every event, fixed and seeded before a run begins.

Every process is one idea: arrivals of a process of rate one ("units": how many events are expected so far) carried
through the inverse of its cumulative intensity to seconds. So all of them keep the mean rate they were asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from streams.errors import BadInputError

NS_PER_S = 1_000_000_000
RATE_MAX_PER_S = 10_000_000.0
EVENTS_MAX = 500_000_000
DURATION_MAX_S = 366 * 86_400.0

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BurstShape:
    """Bursts in a steady stream: every `every_s` seconds, `length_s` seconds at `factor` times the rate in between.

    The mean over a period stays the asked rate. A burst lies in the middle of its period.
    """

    factor: float = 5.0
    every_s: float = 10.0
    length_s: float = 1.0

    def __post_init__(self) -> None:
        """Raise BadInputError for a shape that is no burst."""
        if not 1.0 <= self.factor <= 1_000.0:
            raise BadInputError(f"burst factor is {self.factor:g}, allowed are 1 to 1000")
        if not 0.001 <= self.every_s <= DURATION_MAX_S:
            raise BadInputError(f"burst every_s is {self.every_s:g}, allowed are 0.001 to {DURATION_MAX_S:g}")
        if not 0.0 < self.length_s < self.every_s:
            raise BadInputError(
                f"burst length_s is {self.length_s:g}, it must be above 0 and below every_s ({self.every_s:g})"
            )


@dataclass(frozen=True, slots=True)
class Surge:
    """A stretch of a schedule, in seconds from its start, at `factor` times the rate that the process has there."""

    from_s: float
    until_s: float
    factor: float

    def __post_init__(self) -> None:
        """Raise BadInputError for a stretch that is none."""
        if not 0.0 <= self.from_s < self.until_s <= DURATION_MAX_S:
            raise BadInputError(f"a surge from {self.from_s:g} to {self.until_s:g} s is no stretch of a schedule")
        if not 0.001 <= self.factor <= 1_000_000.0:
            raise BadInputError(f"a surge's factor is {self.factor:g}, allowed are 0.001 to 1000000")


@dataclass(frozen=True, slots=True)
class Process:
    """An arrival process: evenly spaced or memoryless units, and the way from units to seconds and back."""

    regular: bool
    seconds: Callable[[Seconds, float, BurstShape], Seconds]
    units: Callable[[float, float, BurstShape], float]


def _steady_seconds(units: Seconds, rate_per_s: float, _: BurstShape) -> Seconds:
    return units / rate_per_s


def _steady_units(duration_s: float, rate_per_s: float, _: BurstShape) -> float:
    return duration_s * rate_per_s


def _burst_knots(rate_per_s: float, shape: BurstShape) -> tuple[Seconds, Seconds]:
    """One period's corners: seconds and expected events, piecewise linear between them."""
    quiet = rate_per_s * shape.every_s / (shape.every_s + (shape.factor - 1.0) * shape.length_s)
    begin = (shape.every_s - shape.length_s) / 2.0
    seconds = np.array([0.0, begin, begin + shape.length_s, shape.every_s])
    rates = np.array([quiet, quiet * shape.factor, quiet])
    return seconds, np.concatenate(([0.0], np.cumsum(np.diff(seconds) * rates)))


def _burst_seconds(units: Seconds, rate_per_s: float, shape: BurstShape) -> Seconds:
    seconds, expected = _burst_knots(rate_per_s, shape)
    periods, rest = np.divmod(units, expected[-1])
    return np.asarray(periods * shape.every_s + np.interp(rest, expected, seconds), np.float64)


def _burst_units(duration_s: float, rate_per_s: float, shape: BurstShape) -> float:
    seconds, expected = _burst_knots(rate_per_s, shape)
    periods, rest = divmod(duration_s, shape.every_s)
    return float(periods * expected[-1] + np.interp(rest, seconds, expected))


PROCESSES: dict[str, Process] = {
    "constant": Process(regular=True, seconds=_steady_seconds, units=_steady_units),
    "poisson": Process(regular=False, seconds=_steady_seconds, units=_steady_units),
    "burst": Process(regular=False, seconds=_burst_seconds, units=_burst_units),
}
"""Every arrival process by its name in scenario files."""


def schedule_ns(
    process: str,
    rate_per_s: float,
    *,
    seed: int,
    count: int | None = None,
    duration_s: float | None = None,
    burst: BurstShape | None = None,
    surges: Sequence[Surge] = (),
) -> NDArray[np.int64]:
    """Return the intended instants of a run: sorted int64 nanoseconds from its start.

    Give either `count` (that many events) or `duration_s` (all events before that second). A longer schedule of the
    same seed begins with the shorter one. `burst` shapes the process of that name and is ignored by the others.
    `surges`, in order and apart, run through the process at another speed, so that its kind stays what it is.

    Raises BadInputError for an unknown process or a number out of bounds.
    """
    chosen = _process(process)
    shape = burst or BurstShape()
    _within("rate_per_s", rate_per_s, 1e-6, RATE_MAX_PER_S)
    _within("seed", seed, 0, 2**63 - 1)
    if (count is None) == (duration_s is None):
        raise BadInputError("a schedule takes either count or duration_s, not both and not neither")
    if count is not None:
        _within("count", count, 0, EVENTS_MAX)
        units = _first_units(chosen, count, seed)
    else:
        own_s = _own_seconds(duration_s or 0.0, surges)
        units = _units_before(chosen, rate_per_s, own_s, shape, seed)
    seconds = _surged_seconds(chosen.seconds(units, rate_per_s, shape), surges)
    offsets = np.round(seconds * NS_PER_S).astype(np.int64)
    if duration_s is not None:
        offsets = offsets[offsets < round(duration_s * NS_PER_S)]
    return np.maximum.accumulate(offsets) if len(offsets) else offsets


def _surge_corners(surges: Sequence[Surge], beyond_s: float) -> tuple[Seconds, Seconds]:
    """Corners of the way between the schedule's seconds and the process's own; after the last surge one goes as fast as
    the other, to `beyond_s` and further."""
    wall, own = [0.0], [0.0]
    for surge in surges:
        own += [own[-1] + surge.from_s - wall[-1]]
        own += [own[-1] + (surge.until_s - surge.from_s) * surge.factor]
        wall += [surge.from_s, surge.until_s]
    if np.any(np.diff(wall) < 0):
        raise BadInputError("surges of a schedule must be in order and apart")
    return np.array([*wall, wall[-1] + beyond_s + 1.0]), np.array([*own, own[-1] + beyond_s + 1.0])


def _own_seconds(seconds: float, surges: Sequence[Surge]) -> float:
    if not surges:
        return seconds
    wall, own = _surge_corners(surges, seconds)
    return float(np.interp(seconds, wall, own))


def _surged_seconds(seconds: Seconds, surges: Sequence[Surge]) -> Seconds:
    if not surges:
        return seconds
    wall, own = _surge_corners(surges, float(seconds.max(initial=0.0)))
    return np.asarray(np.interp(seconds, own, wall), np.float64)


def _first_units(process: Process, count: int, seed: int) -> Seconds:
    if process.regular:
        return np.arange(count, dtype=np.float64)
    return np.cumsum(np.random.default_rng(seed).standard_exponential(count))


def _units_before(process: Process, rate_per_s: float, duration_s: float, shape: BurstShape, seed: int) -> Seconds:
    _within("duration_s", duration_s, 0.0, DURATION_MAX_S)
    expected = process.units(duration_s, rate_per_s, shape)
    _within("rate_per_s × duration_s", expected, 0.0, float(EVENTS_MAX))
    ample = int(np.ceil(expected + 10.0 * np.sqrt(expected) + 20.0))
    units = _first_units(process, ample, seed)
    return units[units <= expected]


def _process(name: str) -> Process:
    try:
        return PROCESSES[name]
    except KeyError:
        raise BadInputError(f"unknown arrival process {name!r}; known are {', '.join(PROCESSES)}") from None


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise BadInputError(f"{name} is {value!r}, allowed are {low:g} to {high:g}")
