"""Everything costs more, or less."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.amounts import MONEY, multiplied
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.topics import Domain


class AmountInflation(EventDrift):
    """Amounts times `factor`; of an incremental drift the factor grows by equal proportions."""

    family: ClassVar[Family] = "covariate"
    has_strength: ClassVar[bool] = True

    kind: Literal["amount-inflation"]
    factor: Annotated[float, Field(gt=0, le=1_000)] = 1.5

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return MONEY[domain]

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        affected = self.affected(material, rng)
        factors = np.where(affected.which, self.factor**affected.strength, 1.0)
        stream = multiplied(material.stream, material.domain, factors)
        return material.with_stream(stream.marked(affected.which, material.place))
