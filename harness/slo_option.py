"""The limit of a latency test as people write it: p99=50ms, p99.9=1s."""

import re
from dataclasses import dataclass

from streams.errors import BadInputError

_WRITTEN = re.compile(
    r"p(?P<percent>\d{1,2}(?:\.\d{1,3})?)\s*(?:=|<=|≤)\s*(?P<limit>\d+(?:\.\d+)?)\s*(?P<unit>us|µs|ms|s)"
)
_MS = {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}
LIMIT_MS_MAX = 3_600_000.0


@dataclass(frozen=True, slots=True)
class LatencyLimit:
    """Quantile `q` (0.99 is P99) of the response time is at most `limit_ms`."""

    q: float
    limit_ms: float

    def __str__(self) -> str:
        return f"P{100.0 * self.q:g} ≤ {self.limit_ms:g} ms"


def parse_limit(written: str) -> LatencyLimit:
    """From the command line. Raises BadInputError with an example."""
    found = _WRITTEN.fullmatch(written.strip())
    if found is None:
        raise BadInputError(f"--slo {written!r} is no limit; write for example p99=50ms or p99.9=1s")
    q, limit_ms = float(found["percent"]) / 100.0, float(found["limit"]) * _MS[found["unit"]]
    if not 0.5 <= q < 1.0:
        raise BadInputError(f"--slo {written!r}: allowed are percentiles from p50 to p99.999")
    if not 0 < limit_ms <= LIMIT_MS_MAX:
        raise BadInputError(f"--slo {written!r}: the limit must be above 0 and at most {LIMIT_MS_MAX / 1e3:g} s")
    return LatencyLimit(q, limit_ms)
