"""What every world offers: events and labels by blocks of event time, and a history with a stream after it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa

from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

Block = tuple[pa.Table, pa.Table]
"""Events and their labels, row by row, in event-time order."""
Part = Literal["history", "stream"]
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


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a world as it grows: `parts` of history, then of the stream, each once and in order; `like` are
    tables without rows, as the parts' are."""

    parts: Iterator[tuple[Part, Block]]
    like: Block
    stream_start_ns: int


def stretch(world: World, history_days: int, stream_events: int) -> Stretch:
    """Begin `history_days` of event time, then exactly `stream_events` events; memory is bounded by a block.

    Raises BadInputError for numbers out of bounds.
    """
    _within("history_days", history_days, 0, HISTORY_DAYS_MAX)
    _within("stream_events", stream_events, 0, STREAM_EVENTS_MAX)
    stream_start_ns = world.start_ns + history_days * NS_PER_DAY
    blocks = world.blocks()
    first = next(blocks)
    parts = _parts(chain([first], blocks), stream_start_ns, stream_events)
    return Stretch(parts, (first[0].slice(0, 0), first[1].slice(0, 0)), stream_start_ns)


def _parts(blocks: Iterable[Block], stream_start_ns: int, stream_events: int) -> Iterator[tuple[Part, Block]]:
    wanted = stream_events
    for events, labels in blocks:
        times = events.column("event_time_ns").to_numpy()
        cut = int(np.searchsorted(times, stream_start_ns, side="left"))
        if cut:
            yield "history", (events.slice(0, cut), labels.slice(0, cut))
        if cut < len(times):
            rows = min(wanted, len(times) - cut)
            yield "stream", (events.slice(cut, rows), labels.slice(cut, rows))
            wanted -= rows
            if wanted == 0:
                return


def collect(world: World, history_days: int, stream_events: int) -> WorldTables:
    """Gather a world's blocks into tables: `history_days` of event time, then exactly `stream_events` events.

    Raises BadInputError for numbers out of bounds.
    """
    begun = stretch(world, history_days, stream_events)
    found: dict[Part, list[Block]] = {"history": [begun.like], "stream": [begun.like]}
    for part, block in begun.parts:
        found[part].append(block)
    (history, history_labels), (stream, labels) = (
        [pa.concat_tables([block[side] for block in found[part]]).combine_chunks() for side in range(2)]
        for part in ("history", "stream")
    )
    return WorldTables(history, history_labels, stream, labels, begun.stream_start_ns)


def _within(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInputError(f"{name} is {value!r}, allowed are whole numbers from {low} to {high}")
