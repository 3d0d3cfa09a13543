"""A source takes minor units for major ones, or the other way round."""

from typing import ClassVar, Literal

import numpy as np

from streams.drift.amounts import MONEY, multiplied
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.topics import Domain

HUNDRED = 100.0


class CentsForUnits(EventDrift):
    """Amounts arrive a hundred times too large (`sent` = cents: cents where units are expected) or too small (units).

    What would be above an event's largest amount becomes that.
    """

    family: ClassVar[Family] = "data-quality"

    kind: Literal["cents-for-units"]
    sent: Literal["cents", "units"] = "cents"

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return MONEY[domain]

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        which = self.affected(material, rng).which
        factors = np.where(which, HUNDRED if self.sent == "cents" else 1.0 / HUNDRED, 1.0)
        return material.with_stream(multiplied(material.stream, material.domain, factors).marked(which, material.place))
