"""What faults of the input have in common: messages put between the events, or events sent in another order. All of it
is fixed before the run, so that afterwards it can be counted what became of each message."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal

Fate = Literal["refuse", "ignore", "decide"]
Int64s = npt.NDArray[np.int64]
Fields = dict[str, Any]


class Put(NamedTuple):
    """A message put between the events: it goes out as soon as the event `after` has, with the key of the event
    `source`, of which it was made (both by their ordinals)."""

    after: int
    source: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Window:
    """The events due while a fault lasts: ordinals [first, last), `schedule_ns` [n] of the whole stream, and an event's
    message by its ordinal."""

    first: int
    last: int
    schedule_ns: Int64s
    message: Callable[[int], bytes]

    def draw(self, share: float, rng: np.random.Generator) -> Int64s:
        """Ordinals of the window, ascending, any of them perhaps several times: so many that messages made of them are
        this share of all that is sent while the fault lasts, and one at least. None where nothing is due."""
        due = self.last - self.first
        count = max(1, round(share / (1.0 - share) * due)) if due else 0
        return np.sort(rng.integers(self.first, self.last, count)) if count else np.zeros(0, np.int64)


class InputFault(Fault):
    """`share` of the messages sent while it lasts are the fault's.

    A kind says what is to become of them (`fate`), and by which words (any of them) the reason of a refusal names it.
    """

    family: ClassVar[Family] = "input"
    need: ClassVar[Need] = "feed"
    felt_by: ClassVar[tuple[Signal, ...]] = ("refused",)
    fate: ClassVar[Fate] = "refuse"
    told_by: ClassVar[tuple[str, ...]] = ()

    share: Annotated[float, Field(gt=0, le=0.9)] = 0.1

    def put_in(self, window: Window, rng: np.random.Generator) -> list[Put]:
        """The messages put between the events."""
        del window, rng
        return []

    def order(self, window: Window, rng: np.random.Generator) -> Int64s:
        """The ordinals of the window in the order in which its events are sent."""
        del rng
        return np.arange(window.first, window.last, dtype=np.int64)


class SpoiledInput(InputFault):
    """Copies of events that happen to be due, each with an id of its own and something wrong with it: the events
    themselves come as they are."""

    def put_in(self, window: Window, rng: np.random.Generator) -> list[Put]:
        """See `InputFault`."""
        found = []
        for serial, source in enumerate(window.draw(self.share, rng).tolist()):
            fields: Fields = msgspec.json.decode(window.message(source))
            fields["event_id"] = f"{self.kind}-{serial}"
            found.append(Put(source, source, self.spoil(fields, rng)))
        return found

    @abstractmethod
    def spoil(self, fields: Fields, rng: np.random.Generator) -> bytes:
        """The message made of an event's fields."""
