"""Transfers in the making: columns of small integers, before they are ordered, numbered and spelt out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from streams.worlds.arrays import Flags, Ints

NONE = -1
WIRE, INSTANT, CARD, CHEQUE, CASH_IN, CASH_OUT, VIRTUAL_ASSET = range(7)
"""Channel codes: positions in `streams.transfer.TRANSFER_CHANNELS`."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """Columns of equal length n. Accounts are codes of the population, countries of `nations.COUNTRIES`; -1 is "none".

    `time_ns` is event time, `amount_minor` money in minor units of the sending country's currency (the receiving one's
    where the sender has no country, as for cash). `pattern` and `typology` are set on laundering only, `look_alike` on
    genuine transfers only.
    """

    time_ns: Ints
    from_account: Ints
    to_account: Ints
    channel: Ints
    amount_minor: Ints
    from_country: Ints
    to_country: Ints
    pattern: Ints
    typology: Ints
    look_alike: Ints

    def __len__(self) -> int:
        """Count the transfers."""
        return len(self.time_ns)

    def take(self, chosen: Ints | Flags) -> "Drafts":
        """Select rows by position or by flag."""
        return Drafts(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def marked(self, *, pattern: int = NONE, typology: int = NONE, look_alike: int = NONE) -> "Drafts":
        """Write the same truth on every row: what the labels will say."""
        return replace(
            self,
            pattern=np.full(len(self), pattern),
            typology=np.full(len(self), typology),
            look_alike=np.full(len(self), look_alike),
        )


def draft(
    time_ns: Ints,
    from_account: Ints,
    to_account: Ints,
    channel: Ints,
    amount_minor: Ints,
    from_country: Ints,
    to_country: Ints,
) -> Drafts:
    """Put columns together as genuine, unremarkable transfers."""
    nothing = np.full(len(time_ns), NONE)
    return Drafts(
        time_ns, from_account, to_account, channel, amount_minor, from_country, to_country, nothing, nothing, nothing
    )


def no_drafts() -> Drafts:
    """Return zero rows."""
    empty = np.zeros(0, np.int64)
    return draft(empty, empty, empty, empty, empty, empty, empty)


def join(parts: Sequence[Drafts]) -> Drafts:
    """Put rows behind one another; order of time is not restored."""
    if not parts:
        return no_drafts()
    return Drafts(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Drafts)}
    )
