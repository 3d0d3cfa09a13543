"""How a contender climbs a ladder of rates, and the turns of all of them: everyone's next rate, round after round."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.capacity.search import rounded
from streams.errors import BadInputError

TRIES = 2
"""A rate is not held when so many turns of it failed: one may be the machine's, unless it failed by far."""
LOWEST_PER_S = 50.0
BELOW = 4.0
"""A contender that does not hold the lowest rate is tried down to this part of it."""
CLOSE = 1.05


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rates (events/s), ascending, and how often the gap between held and not held is halved (on a log scale) then."""

    rates_per_s: tuple[float, ...]
    refine: int

    def __post_init__(self) -> None:
        rates = self.rates_per_s
        if not rates or list(rates) != sorted(set(rates)) or rates[0] < LOWEST_PER_S:
            raise BadInputError(
                f"--rates {','.join(f'{rate:g}' for rate in rates)}: give ascending rates of at least {LOWEST_PER_S:g} "
                "events/s, for example 1000,2000,4000"
            )


@dataclass(slots=True)
class Climb:
    """One contender's way: up the ladder to the first rate that is not held, down by halves where not even the lowest
    is, then between."""

    ladder: Ladder
    held: set[float] = field(default_factory=set)
    failed: Counter[float] = field(default_factory=Counter)
    refined: int = 0
    given_up: bool = False

    @property
    def capacity_per_s(self) -> float | None:
        """The highest rate held below the lowest that was not; None where none was."""
        bound = self.not_held_per_s
        return max((rate for rate in self.held if bound is None or rate < bound), default=None)

    @property
    def not_held_per_s(self) -> float | None:
        """The lowest rate that was not held; None where all were."""
        return min((rate for rate, count in self.failed.items() if count >= TRIES), default=None)

    def record(self, rate_per_s: float, *, held: bool, by_far: bool = False) -> None:
        """What came of a turn. A rate held once counts as held; one that failed `by_far` is not tried again."""
        if held:
            self.held.add(rate_per_s)
            del self.failed[rate_per_s]
        else:
            self.failed[rate_per_s] += TRIES if by_far else 1

    def next_rate(self) -> float | None:
        """The rate of the next turn; None when the way is at its end."""
        if self.given_up:
            return None
        once = [rate for rate, count in self.failed.items() if count < TRIES]
        if once:
            return once[0]
        low, high = self.capacity_per_s, self.not_held_per_s
        if high is None:
            return next((rate for rate in self.ladder.rates_per_s if low is None or rate > low), None)
        if low is None:
            half = rounded(high / 2.0)
            return half if half >= self.ladder.rates_per_s[0] / BELOW else None
        return self._between(low, high)

    def _between(self, low: float, high: float) -> float | None:
        middle = rounded((low * high) ** 0.5)
        if self.refined >= self.ladder.refine or not low * CLOSE < middle < high / CLOSE:
            return None
        self.refined += 1
        return middle


def turns(climbs: Sequence[Climb]) -> Iterator[tuple[int, float]]:
    """Whose turn it is (an index), and at which rate, until nobody has one left. Whoever began a round is last in the
    next: what the machine does meanwhile falls on all alike. What came of a turn is recorded before the next is asked
    for."""
    order = list(range(len(climbs)))
    while order:
        left = []
        for place in order:
            rate = climbs[place].next_rate()
            if rate is not None:
                left.append(place)
                yield place, rate
        order = left[1:] + left[:1]
