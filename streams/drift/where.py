"""Which events a drift is about: those of these words, of amounts between these bounds."""

from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from streams.drift.columns import ints, texts
from streams.section import Section
from streams.topics import Domain
from streams.worlds.arrays import Flags

Words = Annotated[list[str], Field(min_length=1, max_length=1_000)]
Amount = Annotated[int, Field(ge=0)]


class Where(Section):
    """All of it must hold. `columns` are columns of words (category, channel, country, …) and the words that are meant;
    the amounts (minor units of the event's own currency) are both within."""

    columns: dict[str, Words] = Field(default_factory=dict)
    amount_minor_min: Amount | None = None
    amount_minor_max: Amount | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that it asks."""
        amounts = self.amount_minor_min is not None or self.amount_minor_max is not None
        return (*self.columns, *(("amount_minor",) if amounts else ()))

    def refuse(self, domain: Domain) -> None:
        """Raise ValueError for a column that the domain's events have not, and for bounds that nothing lies between."""
        for name in self.columns:
            if name not in texts(domain):
                raise ValueError(f"where.columns names {name!r}; columns of words are {', '.join(texts(domain))}")
        low, high = self.amount_minor_min, self.amount_minor_max
        if low is not None and high is not None and high < low:
            raise ValueError(f"where.amount_minor_max = {high} is below amount_minor_min = {low}")

    def holds(self, events: pa.Table) -> Flags:
        """Which events are meant, bool [n]."""
        meant: Flags = np.ones(len(events), np.bool_)
        for name, words in self.columns.items():
            found = pc.is_in(events[name].cast(pa.string()), value_set=pa.array(words, pa.string()))
            meant &= np.asarray(found.to_numpy(), np.bool_)
        if self.amount_minor_min is not None:
            meant &= ints(events["amount_minor"]) >= self.amount_minor_min
        if self.amount_minor_max is not None:
            meant &= ints(events["amount_minor"]) <= self.amount_minor_max
        return meant
