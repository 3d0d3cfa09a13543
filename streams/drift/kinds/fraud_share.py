"""There is more fraud, or more laundering, than there was; each single one looks as it always did."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.blame import REPORTS
from streams.drift.crimes import crimes_of
from streams.drift.drift import Drift, Family, WorldConfig
from streams.drift.material import Material
from streams.drift.thinning import thinned
from streams.topics import Domain
from streams.worlds.fraud.config import FraudWorldConfig


class FraudShare(Drift):
    """From the onset on there are `factor` times as many crimes as before. The world is made with so many, and of the
    crimes that begin before the onset only one in `factor` is left, in the history too; of one's own data as well.
    """

    family: ClassVar[Family] = "prior"

    kind: Literal["fraud-share"]
    factor: Annotated[float, Field(gt=1, le=50)] = 3.0

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (REPORTS,)

    def world_changes(self, config: WorldConfig) -> WorldConfig:
        """See `Drift`."""
        if isinstance(config, FraudWorldConfig):
            return replace(config, fraud_share=config.fraud_share * self.factor)
        return replace(config, laundering_share=config.laundering_share * self.factor)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        crimes = crimes_of(material)
        usual, draws = 1.0 / self.factor, rng.random(len(crimes))
        chance = usual + (1.0 - usual) * self.ramp(crimes.began_ns, material.start_ns)
        extra = draws >= usual
        is_extra = (crimes.stream >= 0) & np.append(extra, False)[crimes.stream]
        marked = material.with_stream(material.stream.marked(is_extra, material.place))
        return thinned(marked, crimes, draws, chance)
