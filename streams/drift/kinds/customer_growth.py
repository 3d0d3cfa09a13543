"""New customers come, and behave as customers do."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from streams.drift.columns import coded
from streams.drift.drift import Drift, Family
from streams.drift.material import Material, Rows
from streams.drift.onset import RISE_DAYS, Shape
from streams.labels import NS_PER_DAY
from streams.worlds.arrays import Flags, Ints

NEVER = np.iinfo(np.int64).min
"""Joined before all time: a customer who was always there."""


class CustomerGrowth(Drift):
    """A `share` of the customers was not there before the onset: whatever they did before they join is taken out, of
    the history too. They join all at once (sudden) or one after the other over `over_days` (gradual). Members of
    patterns of laundering are none of them: the truth stays whole. Of transfers both sides must be there.
    """

    family: ClassVar[Family] = "control"
    shapes: ClassVar[tuple[Shape, ...]] = ("gradual", "sudden")

    kind: Literal["customer-growth"]
    shape: Shape = "gradual"
    share: Annotated[float, Field(gt=0, lt=1)] = 0.25

    @model_validator(mode="after")
    def _stays(self) -> "CustomerGrowth":
        if self.until_day is not None:
            raise ValueError("until_day: customers who have come stay")
        return self

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        return self._cards(material, rng) if material.domain == "fraud" else self._accounts(material, rng)

    def _joined(self, count: int, start_ns: int, rng: np.random.Generator) -> Ints:
        """When each of so many customers joined, ns."""
        over_days = (self.over_days or RISE_DAYS) if self.shape == "gradual" else 0.0
        later = np.rint(rng.random(count) * over_days * NS_PER_DAY).astype(np.int64)
        return np.where(rng.random(count) < self.share, self.onset_ns(start_ns) + later, NEVER)

    def _cards(self, material: Material, rng: np.random.Generator) -> Material:
        history, stream, count = material.owners()
        joined = self._joined(count, material.start_ns, rng)
        return _there(material, joined[history], joined[stream])

    def _accounts(self, material: Material, rng: np.random.Generator) -> Material:
        accounts, members = material.accounts, material.members
        if accounts is None or members is None:
            raise TypeError("transfers come with their accounts and the members of patterns")
        customers, names = coded(accounts["customer_id"])
        joined = self._joined(len(names), material.start_ns, rng)
        known = pc.index_in(pa.array(names, pa.string()), value_set=members["customer_id"].cast(pa.string()).unique())
        joined[np.asarray(known.is_valid().to_numpy(zero_copy_only=False), np.bool_)] = NEVER
        of_account = joined[customers]
        opened = np.maximum(accounts["opened_at_ns"].to_numpy(), of_account)
        place = accounts.schema.get_field_index("opened_at_ns")
        accounts = accounts.set_column(place, accounts.schema.field(place), pa.array(opened, pa.int64()))
        ids = accounts["account_id"].combine_chunks()
        sides = [_latest(rows, ids, of_account) for rows in (material.history, material.stream)]
        return _there(replace(material, accounts=accounts), *sides)


def _latest(rows: Rows, ids: pa.Array, joined: Ints) -> Ints:
    """When the later of both sides of each transfer joined, ns."""
    of_sides = []
    for side in ("from_account", "to_account"):
        found = pc.index_in(rows.events[side].cast(pa.string()), value_set=ids)
        places = np.asarray(found.fill_null(len(joined)).to_numpy(), np.int64)
        of_sides.append(np.append(joined, NEVER)[places])
    return np.asarray(np.maximum(*of_sides), np.int64)


def _there(material: Material, history: Ints, stream: Ints) -> Material:
    """Only what happened after whoever did it had joined (ns of each event); what newcomers do is marked."""
    newcomers: Flags = stream > NEVER
    marked = material.with_stream(material.stream.marked(newcomers, material.place))
    return marked.kept(material.history.time_ns >= history, material.stream.time_ns >= stream)
