"""When each fault of a run begins, on the run's own clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from harness.faults.fault import Fault
from streams.errors import BadInputError

NS_PER_S = 1_000_000_000
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault with its instants in ns since the stream's start, and a seed of its own. `place` is its place in the
    scenario's list."""

    fault: Fault
    place: int
    at_ns: int
    seed: int

    @property
    def until_ns(self) -> int:
        """When it is lifted."""
        return self.at_ns + round(self.fault.duration_s * NS_PER_S)


def seeds_of(faults: Sequence[Fault], seed: int) -> list[int]:
    """A seed of its own for each fault."""
    children = np.random.SeedSequence(seed).generate_state(max(len(faults), 1), np.uint32)
    return [int(child) for child in children[: len(faults)]]


def plan_faults(faults: Sequence[Fault], seed: int, schedule_ns: Int64s, event_times_ns: Int64s) -> list[Planned]:
    """The faults in order of time. `schedule_ns` [n] are the events' intended instants, `event_times_ns` [n]
    their event times, in the order of sending.

    Raises BadInputError for an event time that the stream does not reach, and for faults that meet.
    """
    planned = [
        Planned(fault, place, _begin_ns(fault, place, schedule_ns, event_times_ns), own)
        for place, (fault, own) in enumerate(zip(faults, seeds_of(faults, seed), strict=True))
    ]
    planned.sort(key=lambda each: each.at_ns)
    for first, second in pairwise(planned):
        if second.at_ns < first.until_ns:
            raise BadInputError(
                f"faults[{second.place}] begins {second.at_ns / NS_PER_S:.3f} s after the start, before "
                f"faults[{first.place}] ends at {first.until_ns / NS_PER_S:.3f} s: what came of each could not be told "
                "apart"
            )
    return planned


def _begin_ns(fault: Fault, place: int, schedule_ns: Int64s, event_times_ns: Int64s) -> int:
    wanted = fault.event_time_ns
    if wanted is None:
        return round((fault.at_s or 0.0) * NS_PER_S)
    ordinal = int(np.searchsorted(np.maximum.accumulate(event_times_ns), wanted))
    if ordinal >= len(event_times_ns) or (ordinal == 0 and wanted < event_times_ns[0]):
        ends = event_times_ns.min(), event_times_ns.max()
        first, last = (np.datetime64(int(at), "ns").astype("datetime64[s]") for at in ends)
        raise BadInputError(
            f"faults[{place}].at_event_time = {fault.at_event_time}: the stream's event times are {first}Z to {last}Z"
        )
    return int(schedule_ns[ordinal])
