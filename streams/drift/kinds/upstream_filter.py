"""Somebody upstream changes a rule: events that used to arrive no longer do."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import model_validator

from streams.drift.blame import TRAFFIC
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.topics import Domain


class UpstreamFilter(EventDrift):
    """The events that `where` means do not arrive; fraud and laundering among them is not seen either."""

    family: ClassVar[Family] = "upstream"

    kind: Literal["upstream-filter"]

    @model_validator(mode="after")
    def _filters_something(self) -> "UpstreamFilter":
        if not self.where.fields:
            raise ValueError("where is needed: which events no longer arrive (columns, amount_minor_min or _max)")
        return self

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (*self.where.fields, TRAFFIC)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        return material.with_stream(material.stream.keep(~self.affected(material, rng).which))
