"""A way of laundering money appears that was never seen before."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.blame import REPORTS
from streams.drift.drift import Drift, Family, WorldConfig
from streams.drift.material import Material
from streams.drift.newcomers import newly_appeared, weighted
from streams.topics import Domain
from streams.worlds.aml.config import AmlWorldConfig, named_weights
from streams.worlds.aml.typologies import TYPOLOGIES


class NewTypology(Drift):
    """All patterns of `typology` that begin before the onset are taken out, of the history too: no model has learnt of
    it. In a world it has `share_of_typed` of the laundering that has a pattern's shape; the others keep their
    proportions.
    """

    family: ClassVar[Family] = "concept"
    domains: ClassVar[tuple[Domain, ...]] = ("aml",)

    kind: Literal["new-typology"]
    typology: Annotated[str, Field(min_length=1, max_length=64)]
    share_of_typed: Annotated[float, Field(gt=0, lt=1)] = 0.4

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (REPORTS,)

    def world_changes(self, config: WorldConfig) -> WorldConfig:
        """See `Drift`."""
        if not isinstance(config, AmlWorldConfig):
            return config
        defaults = {name: typology.share for name, typology in TYPOLOGIES.items()}
        weights = weighted(self.typology, self.share_of_typed, config.typology_weights, defaults)
        named_weights("typology_weights", weights, defaults)  # refuses a name that the registry does not know
        return replace(config, typology_weights=weights)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        return newly_appeared(material, self.typology, self, rng)
