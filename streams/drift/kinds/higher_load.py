"""The same events, sent faster."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.drift import Drift, Family
from streams.drift.material import Material


class HigherLoad(Drift):
    """Events come `factor` times as fast as scheduled; nothing about them changes, their event times neither."""

    family: ClassVar[Family] = "control"

    kind: Literal["higher-load"]
    factor: Annotated[float, Field(gt=1, le=100)] = 2.0

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        del rng  # nothing is drawn
        stream = material.stream
        ramp = self.ramp(stream.time_ns, material.start_ns)
        faster = replace(stream, pace=stream.pace * self.factor**ramp)
        return material.with_stream(faster.marked(ramp > 0.0, material.place))
