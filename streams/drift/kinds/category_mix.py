"""Customers buy other things: another mix of categories."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.donors import alike, borrowed, genuine, words_of
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.errors import BadInputError
from streams.topics import Domain
from streams.worlds.arrays import Ints

Weight = Annotated[float, Field(gt=0, le=1_000_000)]
TAKEN = ("merchant_id", "terminal_id", "category", "channel", "country", "latitude", "longitude", "amount_minor")
"""What of a purchase belongs to where it is made."""


class CategoryMix(EventDrift):
    """A `share` of the genuine purchases is made in other categories instead, by the weights of `to`: at the merchant,
    the place and the price of a purchase that somebody with a card of the same currency makes in the stream.
    """

    family: ClassVar[Family] = "covariate"
    domains: ClassVar[tuple[Domain, ...]] = ("fraud",)
    genuine_only: ClassVar[bool] = True

    kind: Literal["category-mix"]
    to: Annotated[dict[str, Weight], Field(min_length=1)]

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return TAKEN

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream = material.stream
        purchase = genuine(material, stream)
        affected = self.affected(material, rng).which & purchase
        places = np.flatnonzero(affected)
        groups, wanted = self._groups(material, places, rng)
        pool = np.flatnonzero(purchase & (groups >= 0))
        drawn = alike(groups[pool], wanted, rng)
        found = drawn >= 0
        moved = borrowed(stream, places[found], pool[drawn[found]], TAKEN)
        touched = np.zeros(len(stream), np.bool_)
        touched[places[found]] = True
        return material.with_stream(moved.marked(touched, material.place))

    def _groups(self, material: Material, places: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Every event's group (currency and category; -1: not meant), and the group wanted at `places`."""
        categories, words = words_of(material.stream, "category")
        currencies, _ = words_of(material.stream, "currency")
        unknown = [name for name in self.to if name not in words]
        if unknown:
            raise BadInputError(
                f"drifts[{material.place}] ({self.kind}) to.{unknown[0]}: no event of the stream has that category; "
                f"they have {', '.join(sorted(words))}"
            )
        meant = np.array([words.index(name) for name in self.to])
        weights = np.array(list(self.to.values()))
        target = meant[rng.choice(len(meant), size=len(places), p=weights / weights.sum())]
        is_meant = np.isin(categories, meant)
        groups = np.where(is_meant, currencies * len(words) + categories, -1)
        return groups, currencies[places] * len(words) + target
