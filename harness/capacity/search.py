"""The search for the highest rate that is held: doubling until it fails, then bisection, then the answer once more.

Machines are shared and a run's P99 is a random number, so no single run decides. A rate fails only when two runs of it
fail; the answer holds in two runs, of at most three. A rate that was held once by luck loses its standing at the end,
and the search goes on below it. Nothing above a rate that failed is tried, so the search always ends (others' rate
finders oscillate: OpenMessaging Benchmark, issues 84 and 163).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from streams.errors import BadInputError

RUNS_NEEDED = 2
"""So many runs of a rate must agree: failed ones before it counts as not held, held ones before it is the answer."""
REOPENED_MAX = 3
"""An answer that does not stand is followed by a bisection below it so many times; then by the next rate held."""


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
    """What a search found: the highest rate held (None: none was) and the lowest above it that was not (None: the
    highest rate tried was held, so that the true capacity lies above). Of `runs` at the rate, `runs_held` held.
    `complete` is false while the search goes on, and when it was stopped."""

    rate_per_s: float | None
    not_held_per_s: float | None
    runs: int
    runs_held: int
    complete: bool


@dataclass(slots=True)
class _Tally:
    held: int = 0
    failed: int = 0

    @property
    def stands(self) -> bool:
        """Held so far: one failure may be bad luck."""
        return self.held > 0 and self.failed < RUNS_NEEDED

    @property
    def fell(self) -> bool:
        return self.failed >= RUNS_NEEDED


class Finder:
    """One search: runs rates and remembers what came of them. `run` measures a rate (events/s) afresh; the number given
    with it says which run of that rate it is, from 1."""

    def __init__(self, run: Callable[[float, int], Trial], search: Search) -> None:
        self._run, self._search = run, search
        self._tallies: dict[float, _Tally] = {}

    def find(self) -> Capacity:
        """Search to the end."""
        low, high = self._bracket()
        reopened = 0
        while low is not None:
            if high is not None and reopened <= REOPENED_MAX:
                low = self._narrow(low, high)
            if self._confirmed(low):
                break
            low, high, reopened = self._below(low), low, reopened + 1
        return self.so_far(complete=True)

    def so_far(self, *, complete: bool = False) -> Capacity:
        """The answer that the runs up to now give."""
        fallen = [rate for rate, tally in self._tallies.items() if tally.fell]
        bound = min(fallen, default=None)
        standing = [r for r, tally in self._tallies.items() if tally.stands and (bound is None or r < bound)]
        rate = max(standing, default=None)
        tally = self._tallies[rate] if rate is not None else _Tally()
        return Capacity(rate, bound, tally.held + tally.failed, tally.held, complete)

    def _try(self, rate_per_s: float) -> _Tally:
        tally = self._tallies.setdefault(rate_per_s, _Tally())
        if self._run(rate_per_s, tally.held + tally.failed + 1).held:
            tally.held += 1
        else:
            tally.failed += 1
        return tally

    def _holds(self, rate_per_s: float) -> bool:
        tally = self._try(rate_per_s)
        while not (tally.fell or tally.stands):
            tally = self._try(rate_per_s)
        return tally.stands

    def _confirmed(self, rate_per_s: float) -> bool:
        tally = self._tallies[rate_per_s]
        while tally.stands and tally.held < RUNS_NEEDED:
            tally = self._try(rate_per_s)
        return tally.stands

    def _below(self, rate_per_s: float) -> float | None:
        """The next lower rate that is held: one that was run already, or one found by halving."""
        standing = [rate for rate, tally in self._tallies.items() if rate < rate_per_s and tally.stands]
        return max(standing) if standing else self._halve(rate_per_s)

    def _halve(self, rate_per_s: float) -> float | None:
        return next((rate for rate in _halves(rate_per_s, self._search.lowest_per_s) if self._holds(rate)), None)

    def _bracket(self) -> tuple[float | None, float | None]:
        """A rate that is held and the lowest that is not; None where there is none within the bounds."""
        start = self._search.start_per_s
        low = start if self._holds(start) else self._halve(start)
        if low == start:
            for rate in _doubles(start, self._search.highest_per_s):
                if not self._holds(rate):
                    break
                low = rate
        return low, self.so_far().not_held_per_s

    def _narrow(self, low: float, high: float) -> float:
        """The highest rate held between two rates that lie as close as asked."""
        while high / low > 1.0 + self._search.resolution:
            middle = rounded((low * high) ** 0.5)
            if not low < middle < high:
                break
            if self._holds(middle):
                low = middle
            else:
                high = middle
        return low


def rounded(rate_per_s: float) -> float:
    """Three significant digits: rates that people can say."""
    return float(f"{rate_per_s:.3g}")


def _halves(rate_per_s: float, lowest_per_s: float) -> Iterator[float]:
    half = rate_per_s / 2.0
    while rounded(half) > lowest_per_s:
        yield rounded(half)
        half /= 2.0
    if lowest_per_s < rate_per_s:
        yield lowest_per_s


def _doubles(rate_per_s: float, highest_per_s: float) -> Iterator[float]:
    double = rate_per_s * 2.0
    while rounded(double) < highest_per_s:
        yield rounded(double)
        double *= 2.0
    if highest_per_s > rate_per_s:
        yield highest_per_s
