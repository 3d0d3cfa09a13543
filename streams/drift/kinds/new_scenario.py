"""A fraud scenario appears that was never seen before."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.blame import REPORTS
from streams.drift.drift import Drift, Family, WorldConfig
from streams.drift.material import Material
from streams.drift.newcomers import newly_appeared, weighted
from streams.topics import Domain
from streams.worlds.fraud.config import FraudWorldConfig, named_shares
from streams.worlds.fraud.scenarios import SCENARIOS


class NewScenario(Drift):
    """All crimes of `scenario` that begin before the onset are taken out, of the history too: no model has learnt of
    it. In a world it has `share_of_fraud` of the fraud events; the other scenarios keep their proportions.
    """

    family: ClassVar[Family] = "concept"
    domains: ClassVar[tuple[Domain, ...]] = ("fraud",)

    kind: Literal["new-scenario"]
    scenario: Annotated[str, Field(min_length=1, max_length=64)]
    share_of_fraud: Annotated[float, Field(gt=0, lt=1)] = 0.4

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (REPORTS,)

    def world_changes(self, config: WorldConfig) -> WorldConfig:
        """See `Drift`."""
        if not isinstance(config, FraudWorldConfig):
            return config
        defaults = {name: scenario.share for name, scenario in SCENARIOS.items()}
        weights = weighted(self.scenario, self.share_of_fraud, config.scenario_weights, defaults)
        named_shares("scenario_weights", weights, defaults)  # refuses a name that the registry does not know
        return replace(config, scenario_weights=weights)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        return newly_appeared(material, self.scenario, self, rng)
