"""Cases: what was reported of one key within a week, as one thing that happened, with the mean of what it was like."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.drift.batch import Int64s
from streams.labels import NS_PER_DAY

Floats = npt.NDArray[np.float64]
LASTS_NS = 7 * NS_PER_DAY
SOON_NS = 2 * NS_PER_DAY
"""A case's size is what it has so soon: of a whole one only its end could tell."""


@dataclass(slots=True)
class Case:
    """When it was first heard of (ns, event time), how many events it has so far, and how many it had soon; the sum of
    their values [C], and the largest surge of volume in which one of them happened."""

    began_ns: int
    sums: Floats
    events: int = 0
    soon: int = 0
    surge: float = 1.0


@dataclass(slots=True)
class Cases:
    """All cases in the order in which they began."""

    found: list[Case] = field(default_factory=list)
    _open: dict[int, Case] = field(default_factory=dict)

    def add(self, key: npt.NDArray[np.int32], at_ns: Int64s, values: Floats, surge: npt.NDArray[np.float32]) -> None:
        """Reported events, float64 [n, C], each to its key's case; of an unknown key (−1) each is one by itself."""
        for line, (owner, now_ns) in enumerate(zip(key.tolist(), at_ns.tolist(), strict=True)):
            case = self._open.get(owner)
            if owner < 0 or case is None or now_ns - case.began_ns >= LASTS_NS:
                case = Case(now_ns, np.zeros(values.shape[1]))
                self.found.append(case)
                self._open[owner] = case
            case.events += 1
            case.soon += now_ns - case.began_ns < SOON_NS
            case.sums += values[line]
            case.surge = max(case.surge, float(surge[line]))

    def since(self, after_ns: int) -> list[Case]:
        """Those that began after `after_ns`."""
        first = len(self.found)
        while first and self.found[first - 1].began_ns > after_ns:
            first -= 1
        return self.found[first:]


def means(cases: list[Case]) -> Floats:
    """The mean of each case, float64 [n, C]."""
    return np.stack([case.sums / case.events for case in cases])


def sizes(cases: list[Case]) -> Int64s:
    """How many events each case had soon, int64 [n]."""
    return np.array([case.soon for case in cases], dtype=np.int64)
