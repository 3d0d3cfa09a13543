"""Criminals learn at which amounts rules look, and stay below."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.amounts import MONEY
from streams.drift.blame import REPORTS, TRAFFIC
from streams.drift.columns import ints
from streams.drift.crimes import crimes_of
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.drift.pressing import Parts, pressed, reporting_ceiling
from streams.topics import Domain
from streams.worlds.arrays import Floats

CARD_CEILING_MINOR = 10_000
"""Under what the shipped rules take for an everyday purchase."""
TRANSFER_CEILING = 0.1
"""Of the reporting threshold: where the bands of the shipped rules begin."""


class AdaptingCriminals(EventDrift):
    """Amounts of fraud or laundering above `ceiling_minor` (minor units of the event's currency; null: 10,000 for
    cards, a tenth of the market's reporting threshold for transfers) are paid in several parts below it, at most
    `parts_max`, some `gap_minutes` apart. A `share` of the crimes adapts; incrementally, sums come down by equal
    proportions.
    """

    family: ClassVar[Family] = "concept"
    has_strength: ClassVar[bool] = True

    kind: Literal["adapting-criminals"]
    ceiling_minor: Annotated[int, Field(ge=100, le=100_000_000_000)] | None = None
    parts_max: Annotated[int, Field(ge=1, le=50)] = 5
    gap_minutes: Annotated[float, Field(gt=0, le=10_080)] = 20.0

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (*MONEY[domain], TRAFFIC, REPORTS)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream, crimes = material.stream, crimes_of(material)
        ramp = self.ramp(stream.time_ns, material.start_ns)
        stronger = self.shape == "incremental"
        draws = np.append(rng.random(len(crimes)), 1.0)[crimes.stream]  # the last: no crime
        which = (draws < self.share * (ramp > 0.0 if stronger else ramp)) & self.where.holds(stream.events)
        ceiling = self._ceiling(material)
        if stronger:
            amounts = np.maximum(ints(stream.events["amount_minor"]).astype(np.float64), 1.0)
            ceiling = np.where(amounts > ceiling, amounts * (ceiling / amounts) ** ramp, ceiling)
        parts = Parts(self.parts_max, self.gap_minutes)
        return material.with_stream(pressed(material, which, ceiling, parts, rng))

    def _ceiling(self, material: Material) -> Floats:
        if self.ceiling_minor is None and material.domain == "aml":
            return TRANSFER_CEILING * reporting_ceiling(material.stream)
        return np.full(len(material.stream), float(self.ceiling_minor or CARD_CEILING_MINOR))
