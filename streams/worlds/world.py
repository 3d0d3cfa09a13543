"""What every world offers: events and labels by blocks of event time, and a history with a stream after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

Block = tuple[pa.Table, pa.Table]
"""Events and their labels, row by row, in event-time order."""
HISTORY_DAYS_MAX = 3_650
STREAM_EVENTS_MAX = 200_000_000


@dataclass(frozen=True, slots=True)
class WorldTables:
    """A stretch of a world, cut at `stream_start_ns`: what lies before is history, what follows is streamed.

    Events have TRANSACTION_SCHEMA, labels LABEL_SCHEMA (of transfers: TRANSFER_SCHEMA, LAUNDERING_SCHEMA); rows of each
    pair belong together.
    """

    history_events: pa.Table
    history_labels: pa.Table
    stream_events: pa.Table
    stream_labels: pa.Table
    stream_start_ns: int


class World(Protocol):
    """A synthetic population: the same configuration and seed give the same bytes."""

    @property
    def start_ns(self) -> int:
        """First instant of event time."""
        ...

    def blocks(self) -> Iterator[Block]:
        """Yield events and labels from the start on, without end, one block of event time after the other.

        Memory is bounded by a block. Every call begins anew, with the same blocks.
        """
        ...

    def profiles(self) -> pa.Table:
        """Return who holds each card (PROFILE_SCHEMA) or account (ACCOUNT_SCHEMA), those opened later included."""
        ...

    def generate(self, history_days: int, stream_events: int) -> WorldTables:
        """Return the first `history_days` as history and the next `stream_events` events as the stream."""
        ...


def collect(world: World, history_days: int, stream_events: int) -> WorldTables:
    """Gather a world's blocks into tables: `history_days` of event time, then exactly `stream_events` events.

    Raises BadInputError for numbers out of bounds.
    """
    _within("history_days", history_days, 0, HISTORY_DAYS_MAX)
    _within("stream_events", stream_events, 0, STREAM_EVENTS_MAX)
    stream_start_ns = world.start_ns + history_days * NS_PER_DAY
    parts: list[Block] = []
    rows, cut = 0, None
    for events, labels in world.blocks():
        parts.append((events, labels))
        times = events.column("event_time_ns").to_numpy()
        if cut is None and len(times) and times[-1] >= stream_start_ns:
            cut = rows + int(np.searchsorted(times, stream_start_ns, side="left"))
        rows += len(times)
        if cut is not None and rows - cut >= stream_events:
            break
    events = pa.concat_tables([part[0] for part in parts]).combine_chunks()
    labels = pa.concat_tables([part[1] for part in parts]).combine_chunks()
    first = cut or 0
    return WorldTables(
        history_events=events.slice(0, first),
        history_labels=labels.slice(0, first),
        stream_events=events.slice(first, stream_events),
        stream_labels=labels.slice(first, stream_events),
        stream_start_ns=stream_start_ns,
    )


def _within(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInputError(f"{name} is {value!r}, allowed are whole numbers from {low} to {high}")
