"""Events that are sent later than their event time says, after others that happened after them."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.faults.fault import Signal
from harness.faults.input_fault import Fate, InputFault, Int64s, Window


class InputOutOfOrder(InputFault):
    """`share` of the events due while it lasts come up to `delay_s` later, so that others come too early. Each is to be
    decided, once, by what was known when it came."""

    felt_by: ClassVar[tuple[Signal, ...]] = ("disorder",)
    fate: ClassVar[Fate] = "decide"

    kind: Literal["input-out-of-order"]
    delay_s: Annotated[float, Field(gt=0, le=60)] = 0.5

    def order(self, window: Window, rng: np.random.Generator) -> Int64s:
        """See `InputFault`."""
        due_ns = window.schedule_ns[window.first : window.last]
        delay_ns = rng.integers(1, round(self.delay_s * 1e9) + 1, len(due_ns))
        delayed = rng.random(len(due_ns)) < self.share
        order = np.argsort(np.where(delayed, due_ns + delay_ns, due_ns), kind="stable")
        return np.asarray(order + window.first, np.int64)
