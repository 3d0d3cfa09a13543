"""What a proof found: a figure, what theory or the planted fault says it must be, and whether they agree."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the self-test. `allowed` is the greatest difference between `expected` and `found` that passes; a
    `found` that is NaN never does."""

    proof: str
    what: str
    unit: str
    expected: float
    found: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether the instrument said what it had to say."""
        return abs(self.found - self.expected) <= self.allowed if math.isfinite(self.found) else False


def exactly(proof: str, what: str, expected: int, found: int) -> Finding:
    """A count that must be right to the last one."""
    return Finding(proof, what, "", float(expected), float(found), 0.0)


def within(proof: str, what: str, expected_ms: float, found_ms: float, share: float) -> Finding:
    """A time in ms that may differ by a share of what is expected."""
    return Finding(proof, what, "ms", expected_ms, found_ms, share * expected_ms)


def at_most(proof: str, what: str, unit: str, bound: float, found: float) -> Finding:
    """A figure that must not exceed a bound (and is not negative)."""
    return Finding(proof, what, unit, bound / 2.0, found, bound / 2.0)
