"""What the measuring asks of a kernel's traffic, and how it chooses whom an event is of."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streams.labels import NS_PER_DAY

Ints = npt.NDArray[np.int64]

START_NS = 1_767_225_600_000_000_000
HISTORY_DAYS = 20
"""Event time over which the history lies: all of it within the longest window."""
HISTORY_NS = HISTORY_DAYS * NS_PER_DAY
FILL_ROWS = 4_096
"""Events of history that go in at once."""
BUSIEST, BUSY_SHARE, LEVELS = 5, 0.8, 3
"""Of five the busiest one has eight events in ten; so it is again among the busiest, three times over."""
SCATTER = 2_654_435_761
"""Spreads neighbours far apart, so that who is busy does not lie side by side."""


class Traffic(Protocol):
    """A kernel's state, and the history and events of so many cards or accounts for it."""

    @property
    def entities(self) -> int:
        """Cards or accounts."""

    @property
    def history_events(self) -> int:
        """Events that `history` yields."""

    @property
    def memory_bytes(self) -> int:
        """Bytes that the state's arrays use; names are held beside them."""

    def history(self) -> Iterator[pa.Table]:
        """Yield the history in event-time order, `FILL_ROWS` at a time; every entity occurs in it."""

    def enter(self, table: pa.Table) -> None:
        """Take a part of the history in, by the state's own front door."""

    def messages(self, chosen: Ints, first: int) -> list[Any]:
        """Events as a scorer decodes them, of the entities chosen; numbered on from `first`, after all history."""

    def code(self, messages: list[Any]) -> Any:
        """As a scorer does first."""

    def compute(self, batch: Any) -> Any:
        """As a scorer does next."""


def uniform(entities: int, count: int, rng: np.random.Generator) -> Ints:
    """Everybody alike: nearly every event finds its memory cold."""
    return rng.integers(0, entities, count)


def skewed(entities: int, count: int, rng: np.random.Generator) -> Ints:
    """Some far busier than others, as people are; how much busier does not depend on their number."""
    level = (rng.random((LEVELS, count)) < BUSY_SHARE).cumprod(axis=0).sum(axis=0)
    among = np.maximum(entities // BUSIEST**level, 1)
    found: Ints = rng.integers(0, among) * SCATTER % entities
    return found


CHOICES = {"uniform": uniform, "skewed": skewed}


def gap_ns(history_events: int) -> int:
    """Event time between two measured events: they come as densely as the history did."""
    return HISTORY_NS // history_events


def event_times(first: int, rows: int, all_events: int) -> Ints:
    """Event times of rows [first, first + rows) of a history of `all_events`, evenly spread."""
    return START_NS + (np.arange(first, first + rows) * (HISTORY_NS / all_events)).astype(np.int64)
