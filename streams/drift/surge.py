"""More of the same: genuine events of other weeks come on top, at the same hours of the week."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from streams.drift.donors import alike, genuine, hour_of_week
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.labels import NS_PER_S
from streams.worlds.arrays import Ints

NEAR_NS = 1_800 * NS_PER_S
"""How far from an event the one that comes on top of it may lie."""


class Surge(EventDrift):
    """There are `factor` times as many genuine events. What comes on top is what some customer really does at such an
    hour of the week, once more under a new id.
    """

    family: ClassVar[Family] = "control"
    genuine_only: ClassVar[bool] = True

    factor: Annotated[float, Field(gt=1, le=20)] = 1.5

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream = material.stream
        candidates = genuine(material, stream) & self.where.holds(stream.events)
        under = candidates & (self.ramp(stream.time_ns, material.start_ns) > 0.0)
        extra = (self.factor - 1.0) * self.share * self.ramp(stream.time_ns, material.start_ns)
        times_more = np.floor(extra + rng.random(len(stream))).astype(np.int64)
        near = np.repeat(np.flatnonzero(under), times_more[under])
        away = np.rint(rng.uniform(-1.0, 1.0, len(near)) * NEAR_NS).astype(np.int64)
        times = self._within(material, stream.time_ns[near] + away, stream.time_ns[near])
        pool = np.flatnonzero(candidates)
        drawn = alike(hour_of_week(stream.time_ns[pool]), hour_of_week(stream.time_ns[near]), rng)
        added = stream.copies(pool[drawn], times, material.suffix)
        return material.with_stream(stream.with_added(added.marked(np.ones(len(added), np.bool_), material.place)))

    def _within(self, material: Material, times_ns: Ints, otherwise_ns: Ints) -> Ints:
        """These times, where the surge is under way then, else those of the events beside them; whole milliseconds."""
        first, last = material.stream.time_ns[0], material.stream.time_ns[-1]
        inside = (self.ramp(times_ns, material.start_ns) > 0.0) & (times_ns >= first) & (times_ns <= last)
        return np.where(inside, times_ns // 1_000_000 * 1_000_000, otherwise_ns)
