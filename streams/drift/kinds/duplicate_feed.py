"""A feed is delivered twice: events come again as if they were others."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.blame import TRAFFIC
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.labels import NS_PER_S
from streams.topics import Domain

NS_PER_MINUTE = 60 * NS_PER_S


class DuplicateFeed(EventDrift):
    """Events come once more under new ids, `lag_minutes` later by their time; the truth about a copy is the original's.
    The copies are what is marked as touched.
    """

    family: ClassVar[Family] = "data-quality"

    kind: Literal["duplicate-feed"]
    lag_minutes: Annotated[float, Field(ge=0, le=1_440)] = 0.0

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (TRAFFIC,)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream, places = material.stream, self.affected(material, rng).places
        times = stream.time_ns[places] + round(self.lag_minutes * NS_PER_MINUTE)
        again = stream.copies(places, times, material.suffix)
        return material.with_stream(stream.with_added(again.marked(np.ones(len(again), np.bool_), material.place)))
