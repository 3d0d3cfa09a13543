"""The law moves the amount from which cash is reported; launderers follow it, the rules do not."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.amounts import MONEY, multiplied
from streams.drift.blame import TRAFFIC
from streams.drift.columns import coded, ints
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material, Rows
from streams.drift.pressing import Parts, pressed, reporting_ceiling
from streams.topics import Domain
from streams.worlds.arrays import Flags, Floats

CASH = ("cash_in", "cash_out")
STRUCTURED_MIN = 0.5
"""From this part of the old threshold on, laundered cash is taken for structured under it."""


class ThresholdMoved(EventDrift):
    """The reporting threshold becomes `factor` of what it was, in `markets` (codes; null: all). Laundered cash that lay
    between half the old threshold (or the new one, where that is less) and all of it moves with it: lower in more parts
    (at most `parts_max`, some `gap_minutes` apart), or higher. Features and rules go on to hold the old one.
    """

    family: ClassVar[Family] = "concept"
    domains: ClassVar[tuple[Domain, ...]] = ("aml",)

    kind: Literal["threshold-moved"]
    factor: Annotated[float, Field(ge=0.01, le=10)] = 0.4
    markets: Annotated[list[str], Field(min_length=1)] | None = None
    parts_max: Annotated[int, Field(ge=1, le=50)] = 6
    gap_minutes: Annotated[float, Field(gt=0, le=10_080)] = 600.0

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (*MONEY[domain], TRAFFIC)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream = material.stream
        old = reporting_ceiling(stream)
        which = self.affected(material, rng).which & material.bad(stream) & self._structured(stream, old)
        if self.factor < 1.0:
            ceiling = np.where(np.isnan(old), np.inf, old * self.factor)
            moved = pressed(material, which, ceiling, Parts(self.parts_max, self.gap_minutes), rng)
            return material.with_stream(moved)
        factors = np.where(which, self.factor, 1.0)
        return material.with_stream(multiplied(stream, "aml", factors).marked(which, material.place))

    def _structured(self, stream: Rows, old: Floats) -> Flags:
        amounts = ints(stream.events["amount_minor"])
        channels, words = coded(stream.events["channel"])
        cash = np.isin(channels, [code for code, word in enumerate(words) if word in CASH])
        # what the new threshold would report has to follow it too
        least = min(STRUCTURED_MIN, self.factor) * old
        return cash & (amounts >= least) & (amounts <= old) & self._there(stream)

    def _there(self, stream: Rows) -> Flags:
        if self.markets is None:
            return np.ones(len(stream), np.bool_)
        found = np.zeros(len(stream), np.bool_)
        for side in ("from_country", "to_country"):
            codes, words = coded(stream.events[side])
            found |= np.isin(codes, [code for code, word in enumerate(words) if word in self.markets])
        return found
