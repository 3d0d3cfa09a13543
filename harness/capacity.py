"""The highest rate that is held: doubling until it fails, then bisection, a fresh run at every rate.

A rate fails only when it fails twice: one bad run on a machine that others use too says nothing. A rate that passes
below a lower one that failed twice cannot happen by the order of the search, so it always ends (others' rate finders
oscillate: OpenMessaging Benchmark, issues 84 and 163).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from streams.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Trial:
    """One run at one rate: whether it was held, and why not."""

    rate_per_s: float
    held: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """Where to begin and when to end. `resolution`: the highest rate held and the lowest that is not lie this close
    together in the end, as a share. Rates per second."""

    start_per_s: float = 500.0
    lowest_per_s: float = 25.0
    highest_per_s: float = 200_000.0
    resolution: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.lowest_per_s <= self.start_per_s <= self.highest_per_s:
            raise BadInputError(
                f"capacity search from {self.start_per_s:g}/s: it must lie between {self.lowest_per_s:g} and "
                f"{self.highest_per_s:g}/s"
            )
        if not 0.005 <= self.resolution <= 1:
            raise BadInputError(f"capacity resolution is {self.resolution:g}, allowed are 0.005 to 1")


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a search found. `rate_per_s` is the highest rate held, None when not even the lowest was; `at_least` says
    that the highest rate tried was held, so that the true capacity lies above it."""

    rate_per_s: float | None
    at_least: bool
    trials: tuple[Trial, ...]


class _Record:
    """Runs rates, each failing one twice, and remembers them."""

    def __init__(self, run: Callable[[float], Trial]) -> None:
        self._run = run
        self.trials: list[Trial] = []

    def holds(self, rate_per_s: float) -> bool:
        for _ in range(2):
            trial = self._run(rate_per_s)
            self.trials.append(trial)
            if trial.held:
                return True
        return False


def rounded(rate_per_s: float) -> float:
    """Three significant digits: rates that people can say."""
    return float(f"{rate_per_s:.3g}")


def _halves(search: Search) -> Iterator[float]:
    rate = search.start_per_s / 2.0
    while rate > search.lowest_per_s:
        yield rounded(rate)
        rate /= 2.0
    yield search.lowest_per_s


def _doubles(search: Search) -> Iterator[float]:
    rate = search.start_per_s * 2.0
    while rate < search.highest_per_s:
        yield rounded(rate)
        rate *= 2.0
    yield search.highest_per_s


def find_capacity(run: Callable[[float], Trial], search: Search) -> Capacity:
    """Search with `run`, which measures one rate (events/s) afresh."""
    record = _Record(run)
    low, high = _bracket(record, search)
    if low is None or high is None:
        return Capacity(low, low is not None, tuple(record.trials))
    while high / low > 1.0 + search.resolution:
        middle = rounded((low * high) ** 0.5)
        if not low < middle < high:
            break
        if record.holds(middle):
            low = middle
        else:
            high = middle
    return Capacity(low, False, tuple(record.trials))


def _bracket(record: _Record, search: Search) -> tuple[float | None, float | None]:
    """A rate that is held and one that is not; None where there is none within the bounds."""
    if not record.holds(search.start_per_s):
        high = search.start_per_s
        for rate in _halves(search):
            if record.holds(rate):
                return rate, high
            high = rate
        return None, high
    low = search.start_per_s
    for rate in _doubles(search):
        if not record.holds(rate):
            return low, rate
        low = rate
    return low, None
