"""What all kinds of drift have in common: an onset, what they shift, what one would rightly blame."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeVar

import numpy as np
from pydantic import Field

from streams.drift.blame import features_of
from streams.drift.material import Material
from streams.drift.onset import Onset
from streams.drift.where import Where
from streams.topics import DOMAINS, Domain
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.arrays import Flags, Floats, Ints
from streams.worlds.fraud.config import FraudWorldConfig

Family = Literal["covariate", "prior", "concept", "data-quality", "upstream", "control"]
AnyWorldConfig = FraudWorldConfig | AmlWorldConfig
WorldConfig = TypeVar("WorldConfig", FraudWorldConfig, AmlWorldConfig)
Share = Annotated[float, Field(gt=0, le=1)]


class Drift(Onset):
    """One drift. A kind says in which domains there is such a thing, and which columns of the events it shifts.

    A drift changes nothing before its onset, except those that say that something was not there before: these take it
    out of all that came before, history included.
    """

    family: ClassVar[Family]
    domains: ClassVar[tuple[Domain, ...]] = DOMAINS

    kind: str

    @property
    def is_control(self) -> bool:
        """Whether it is no drift at all but life as it is, of which no alarm may be raised."""
        return self.family == "control"

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """The columns of events that it shifts."""
        del domain
        return ()

    def blamed(self, domain: Domain) -> tuple[str, ...]:
        """The beginnings of the names of the features that one would rightly blame."""
        return () if self.is_control else features_of(domain, self.fields(domain))

    def refuse(self, domain: Domain) -> None:
        """Raise ValueError for what cannot be in this domain."""
        if domain not in self.domains:
            raise ValueError(f"{self.kind} is for domain = {', '.join(self.domains)}, and domain = {domain}")

    def world_changes(self, config: WorldConfig) -> WorldConfig:
        """The world that is to be made so that the drift can be. Raises BadInputError for one out of bounds."""
        return config

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """The material with this drift in it, every event of the stream that it touched marked. Raises BadInputError
        for material it cannot be applied to."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Affected:
    """Which events of a stream a drift affects, and how strongly (0 to 1), each [n]."""

    which: Flags
    strength: Floats

    @property
    def places(self) -> Ints:
        """Their places in the stream."""
        return np.flatnonzero(self.which)


class EventDrift(Drift):
    """A drift that affects a `share` of the events of the stream that are meant by `where`.

    A kind says whether an incremental one gets stronger (`has_strength`; otherwise its share rises, as of a gradual
    one), whether it is always the same cards or accounts that are affected (`by_owner`), and whether fraud and
    laundering are left as they are (`genuine_only`).
    """

    has_strength: ClassVar[bool] = False
    by_owner: ClassVar[bool] = False
    genuine_only: ClassVar[bool] = False

    share: Share = 1.0
    where: Where = Where()

    def refuse(self, domain: Domain) -> None:
        """See `Drift`."""
        super().refuse(domain)
        self.where.refuse(domain)

    def affected(self, material: Material, rng: np.random.Generator) -> Affected:
        """Draw whom it meets."""
        stream = material.stream
        ramp = self.ramp(stream.time_ns, material.start_ns)
        stronger = self.has_strength and self.shape == "incremental"
        chance = self.share * (ramp > 0.0 if stronger else ramp)
        if self.by_owner:
            _, owners, count = material.owners()
            draws = rng.random(count)[owners]
        else:
            draws = rng.random(len(stream))
        which = (draws < chance) & self.where.holds(stream.events)
        if self.genuine_only:
            which &= ~material.bad(stream)
        return Affected(which, ramp if stronger else np.ones(len(stream)))
