"""Customers take to another channel."""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from streams.drift.columns import CHANNELS_OF, coded, spelt
from streams.drift.donors import genuine
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material, Rows
from streams.topics import Domain
from streams.worlds.arrays import Flags

MOVABLE: dict[Domain, tuple[str, ...]] = {
    "fraud": ("chip", "contactless"),
    "aml": ("wire", "cheque", "card"),
}
"""What customers pay otherwise with a new channel; cash stays cash."""
DEFAULT: dict[Domain, str] = {"fraud": "online", "aml": "instant"}


class NewChannel(EventDrift):
    """A `share` of the customers pays by the channel `to` what they paid at tills (transfers: by wire, cheque or card).
    A purchase that goes online has no terminal and no place any more, and is made on a device of its own.
    """

    family: ClassVar[Family] = "covariate"
    by_owner: ClassVar[bool] = True
    genuine_only: ClassVar[bool] = True

    kind: Literal["new-channel"]
    to: str | None = None

    def refuse(self, domain: Domain) -> None:
        """See `Drift`."""
        super().refuse(domain)
        if self.to is not None and self.to not in CHANNELS_OF[domain]:
            raise ValueError(f"to = {self.to!r}: channels are {', '.join(CHANNELS_OF[domain])}")

    def _to(self, domain: Domain) -> str:
        return self.to or DEFAULT[domain]

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        if self._to(domain) == "online":
            return ("channel", "terminal_id", "latitude", "longitude", "device_id")
        return ("channel",)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream, to = material.stream, self._to(material.domain)
        codes, words = coded(stream.events["channel"])
        movable = [code for code, word in enumerate(words) if word in MOVABLE[material.domain] and word != to]
        which = self.affected(material, rng).which & genuine(material, stream) & np.isin(codes, movable)
        channel = spelt(np.where(which, len(words), codes), [*words, to])
        moved = stream.with_columns(channel=channel)
        if to == "online":
            moved = _online(material, moved, which)
        return material.with_stream(moved.marked(which, material.place))


def _online(material: Material, stream: Rows, which: Flags) -> Rows:
    events = stream.events
    gone = pa.array(np.arange(len(stream)), mask=which)
    _, owners, count = material.owners()
    devices, words = coded(events["device_id"])
    new = [f"d-new-{number:06d}" for number in range(count)]
    return stream.with_columns(
        terminal_id=events["terminal_id"].take(gone),
        latitude=events["latitude"].take(gone),
        longitude=events["longitude"].take(gone),
        device_id=spelt(np.where(which, len(words) + owners, devices), [*words, *new]),
    )
