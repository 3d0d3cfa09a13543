"""A field is no longer delivered."""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from streams.drift.columns import nullable
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.topics import Domain


class FieldMissing(EventDrift):
    """`field` is left out of the events."""

    family: ClassVar[Family] = "data-quality"

    kind: Literal["field-missing"]
    field: str

    def refuse(self, domain: Domain) -> None:
        """See `Drift`."""
        super().refuse(domain)
        if self.field not in nullable(domain):
            raise ValueError(f"field = {self.field!r}: fields that may be left out are {', '.join(nullable(domain))}")

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (self.field,)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream = material.stream
        column = stream.events[self.field]
        there = np.asarray(column.is_valid().to_numpy(), np.bool_)
        which = self.affected(material, rng).which & there
        emptied = column.take(pa.array(np.arange(len(stream)), mask=which))  # nothing is taken from nowhere
        return material.with_stream(stream.with_columns(**{self.field: emptied}).marked(which, material.place))
