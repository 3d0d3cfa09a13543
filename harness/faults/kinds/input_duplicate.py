"""Events that are sent a second time."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.faults.fault import Signal
from harness.faults.input_fault import Fate, InputFault, Put, Window


class InputDuplicate(InputFault):
    """The very same message, up to `lag_s` later, as of a producer that is not sure whether it got through. Each event
    is to be decided once."""

    felt_by: ClassVar[tuple[Signal, ...]] = ("ignored", "repeated")
    fate: ClassVar[Fate] = "ignore"

    kind: Literal["input-duplicate"]
    lag_s: Annotated[float, Field(ge=0, le=60)] = 0.5

    def put_in(self, window: Window, rng: np.random.Generator) -> list[Put]:
        """See `InputFault`."""
        sources = window.draw(self.share, rng)
        later_ns = window.schedule_ns[sources] + rng.integers(0, round(self.lag_s * 1e9) + 1, len(sources))
        after = np.searchsorted(window.schedule_ns[: window.last], later_ns, side="right") - 1
        found = (
            Put(at, source, window.message(source)) for at, source in zip(after.tolist(), sources.tolist(), strict=True)
        )
        return sorted(found, key=lambda put: put.after)
