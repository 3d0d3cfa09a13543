"""A source's clock goes wrong: another time zone, or summer time taken for standard time."""

from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.labels import NS_PER_HOUR
from streams.topics import Domain


class ClockShifted(EventDrift):
    """Event times lie `hours` later (or earlier, below zero) than they should; events come in the order they happened.
    An incremental drift is a clock that goes wrong little by little.
    """

    family: ClassVar[Family] = "data-quality"
    has_strength: ClassVar[bool] = True

    kind: Literal["clock-shifted"]
    hours: Annotated[float, Field(ge=-24, le=24)] = 6.0

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return ("event_time_ns",)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream, affected = material.stream, self.affected(material, rng)
        shift_ns = np.rint(np.where(affected.which, self.hours * affected.strength, 0.0) * NS_PER_HOUR)
        times = stream.events["event_time_ns"].to_numpy() + shift_ns.astype(np.int64)
        return material.with_stream(
            stream.with_columns(event_time_ns=pa.array(times)).marked(affected.which, material.place)
        )
