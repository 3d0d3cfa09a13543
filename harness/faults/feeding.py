"""What a run's faults of the input make of its feed: messages put between the events, the events in another order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.case import link_or_copy
from harness.faults.fault import Fault
from harness.faults.input_fault import InputFault, Window
from harness.faults.plan import NS_PER_S, seeds_of
from harness.feed import PutIn
from harness.prepared import Prepared

Int64s = npt.NDArray[np.int64]
ORDERED = ("events", "labels")
"""Files of a prepared folder that have a row an event of the stream, in its order."""


@dataclass(frozen=True, slots=True)
class Feeding:
    """A run's faults and the seed they are drawn from."""

    faults: Sequence[Fault]
    seed: int

    def _of_input(
        self, schedule_ns: Int64s, message: Callable[[int], bytes]
    ) -> Iterator[tuple[int, InputFault, Window, np.random.Generator]]:
        for place, (fault, seed) in enumerate(zip(self.faults, seeds_of(self.faults, self.seed), strict=True)):
            if isinstance(fault, InputFault) and fault.at_s is not None:
                from_ns = round(fault.at_s * NS_PER_S)
                first, last = np.searchsorted(schedule_ns, [from_ns, from_ns + round(fault.duration_s * NS_PER_S)])
                window = Window(int(first), int(last), schedule_ns, message)
                yield place, fault, window, np.random.default_rng(seed)

    def put_in(self, schedule_ns: Int64s, message: Callable[[int], bytes]) -> PutIn:
        """The messages to be put between the events of this schedule; `message` gives an event's by its ordinal."""
        found = [
            (place, put)
            for place, fault, window, rng in self._of_input(schedule_ns, message)
            for put in fault.put_in(window, rng)
        ]
        found.sort(key=lambda each: each[1].after)
        return PutIn(
            after=np.array([put.after for _, put in found], np.int64),
            source=np.array([put.source for _, put in found], np.int64),
            place=np.array([place for place, _ in found], np.int64),
            values=[put.value for _, put in found],
        )

    def order(self, schedule_ns: Int64s) -> Int64s | None:
        """The events in the order of sending, as places in their order before; None where nothing is moved."""
        order = np.arange(len(schedule_ns), dtype=np.int64)
        for _, fault, window, rng in self._of_input(schedule_ns, _no_message):
            order[window.first : window.last] = fault.order(window, rng)
        return None if np.array_equal(order, np.arange(len(order))) else order


def _no_message(ordinal: int) -> bytes:
    raise LookupError(f"event {ordinal} is not encoded yet")


def in_order_of_sending(prepared: Prepared, order: Int64s | None, folder: Path) -> Prepared:
    """The prepared files with the stream's rows in this order, in a folder of their own; the same where it is None."""
    if order is None:
        return prepared
    folder.mkdir(parents=True)
    for file in sorted(prepared.folder.iterdir()):
        if file.stem in ORDERED and file.suffix == ".parquet":
            pq.write_table(pq.read_table(file).take(order), folder / file.name, compression="zstd", compression_level=1)
        else:
            link_or_copy(file, folder / file.name)
    return Prepared(folder, prepared.key, prepared.cached, prepared.windows, prepared.facts)
