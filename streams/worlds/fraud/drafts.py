"""Transactions in the making: columns of small integers, before they are ordered, numbered and spelt out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from streams.worlds.arrays import Flags, Ints

NONE = -1
GROUNDWORK = -2
"""Scenario code of a campaign's rows that are no fraud in themselves: purchases, later returned; a history built up."""
CHIP, CONTACTLESS, ONLINE, ATM = range(4)
"""Channel codes: positions in `streams.transaction.CHANNELS`."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """Columns of equal length n. Codes point into the population and the outlets; -1 is "none".

    `time_ns` is event time, `amount_minor` money in minor units of the card's currency. `scenario` and `look_alike`
    are positions in the registries; at most one of the two is set. `is_refund`: the merchant pays the amount back.
    """

    time_ns: Ints
    card: Ints
    outlet: Ints
    device: Ints
    channel: Ints
    amount_minor: Ints
    scenario: Ints
    look_alike: Ints
    is_refund: Flags

    def __len__(self) -> int:
        """Count the transactions."""
        return len(self.time_ns)

    def take(self, chosen: Ints | Flags) -> "Drafts":
        """Select rows by position or by flag."""
        return Drafts(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def marked(self, *, scenario: int = NONE, look_alike: int = NONE) -> "Drafts":
        """Write the same name on every row: what the labels will say."""
        count = len(self)
        return replace(self, scenario=np.full(count, scenario), look_alike=np.full(count, look_alike))


def draft(time_ns: Ints, card: Ints, outlet: Ints, device: Ints, channel: Ints, amount_minor: Ints) -> Drafts:
    """Put columns together as genuine, unremarkable transactions."""
    nothing = np.full(len(time_ns), NONE)
    bought = np.zeros(len(time_ns), np.bool_)
    return Drafts(time_ns, card, outlet, device, channel, amount_minor, nothing, nothing, bought)


def groundwork(drafts: Drafts) -> Drafts:
    """Say of a campaign's rows that they only prepare the fraud."""
    return drafts.marked(scenario=GROUNDWORK)


def no_drafts() -> Drafts:
    """Return zero rows."""
    empty = np.zeros(0, np.int64)
    return draft(empty, empty, empty, empty, empty, empty)


def join(parts: Sequence[Drafts]) -> Drafts:
    """Put rows behind one another; order of time is not restored."""
    if not parts:
        return no_drafts()
    return Drafts(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Drafts)}
    )
