"""What a typology is: a name, a share of the typed laundering transfers, a plot to be played, and its genuine twins."""

from collections.abc import Callable
from dataclasses import dataclass

from streams.worlds.aml.plot import Plot


@dataclass(frozen=True, slots=True)
class Typology:
    """A way to launder money. `share` is its default share of the typed laundering transfers.

    `play(plot)` enlists members and moves money: 2 to 30 transfers within about ten days. `twins` are the look-alikes
    that have the same shape for honest reasons.
    """

    name: str
    share: float
    play: Callable[[Plot], None]
    twins: tuple[str, ...]
