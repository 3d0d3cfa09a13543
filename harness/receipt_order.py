"""Puts what several readers have read into the order in which it was received, as one reader would have read it."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.decision_rows import SAID_SCHEMA
from harness.decision_wire.texts import Texts
from harness.reading import Int64s, Reading, Said, Unreadable
from streams.decision import PATHS

NEVER = 2**63 - 1
HELD_MAX = 65_536
"""Decisions of one reader that wait for another's, before no more are taken from it: what it hands over is on disk."""
_HANDED = pa.schema(
    [
        *SAID_SCHEMA,
        pa.field("received_ns", pa.int64()),
        pa.field("ordinal", pa.int64()),
        pa.field("flags", pa.uint8()),
        pa.field("body", pa.large_binary()),
    ]
)


class _Handed(msgspec.Struct, frozen=True, array_like=True):
    """A reading between processes: an Arrow stream, and what is no decision."""

    rows: bytes
    unreadable: list[Unreadable]
    size_bytes: int
    recorded: bool


def handed_over(reading: Reading) -> bytes:
    """A reading as bytes, for another process."""
    said = reading.said.table()
    bodies = pa.nulls(len(reading), pa.large_binary()) if reading.bodies is None else reading.bodies.arrow()
    beside = [pa.array(values) for values in (reading.received_ns, reading.ordinals, reading.flags)]
    columns = [*said.columns, *beside, bodies]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _HANDED) as stream:
        stream.write_table(pa.Table.from_arrays(columns, schema=_HANDED))
    handed = _Handed(
        sink.getvalue().to_pybytes(), reading.unreadable, reading.size_bytes, recorded=reading.bodies is not None
    )
    return msgspec.msgpack.encode(handed)


def taken_over(content: bytes) -> Reading:
    """A reading from bytes."""
    handed = msgspec.msgpack.decode(content, type=_Handed)
    rows = pa.ipc.open_stream(handed.rows).read_all()
    bodies = rows["body"].combine_chunks()
    return Reading(
        received_ns=rows["received_ns"].to_numpy(),
        ordinals=rows["ordinal"].to_numpy(),
        paths=pc.index_in(rows["path"], pa.array(PATHS)).to_numpy().astype(np.uint8),
        flags=rows["flags"].to_numpy(),
        said=Said.of_rows(rows.select(SAID_SCHEMA.names)),
        bodies=Texts.from_arrow(bodies) if handed.recorded else None,
        unreadable=handed.unreadable,
        size_bytes=handed.size_bytes,
    )


class ReceiptOrder:
    """Holds what some readers have read until it is known what the others received before it. Of messages with the same
    instant those of the reader with the lower number come first."""

    def __init__(self, readers: int) -> None:
        self._held: list[list[Reading]] = [[] for _ in range(readers)]
        self._until_ns = [0] * readers
        self._open = set(range(readers))

    @property
    def closed(self) -> bool:
        """Whether all readers have ended."""
        return not self._open

    def wanted(self) -> list[int]:
        """Readers of whom more is to be taken: all but those that are far ahead of the slowest."""
        behind_ns = min(self._until_ns)
        full = {place for place, held in enumerate(self._held) if sum(map(len, held)) > HELD_MAX}
        return [place for place in sorted(self._open) if place not in full or self._until_ns[place] == behind_ns]

    def add(self, place: int, content: bytes, until_ns: int) -> None:
        """Take what a reader hands over: with it, it has handed over everything received before `until_ns`. Nothing to
        read is nothing at all."""
        self._until_ns[place] = until_ns
        if content:
            self._held[place].append(taken_over(content))

    def close(self, place: int) -> None:
        """A reader has ended: nothing more comes of it."""
        self._until_ns[place] = NEVER
        self._open.discard(place)

    def take(self) -> Reading | None:
        """What may be settled now; None where nothing may."""
        before_ns, due = min(self._until_ns), list[tuple[int, Reading]]()
        for place, held in enumerate(self._held):
            rest: list[Reading] = []
            for reading in held:
                now, later = _cut(reading, before_ns)
                due += [(place, part) for part in (now,) if part is not None]
                rest += [] if later is None else [later]
            self._held[place] = rest
        return _merged(due) if due else None


def _cut(reading: Reading, before_ns: int) -> tuple[Reading | None, Reading | None]:
    """What was received before an instant, and the rest; None where there is nothing."""
    at = int(np.searchsorted(reading.received_ns, before_ns))
    early = [each for each in reading.unreadable if each.received_ns < before_ns]
    late = reading.unreadable[len(early) :]
    if at == len(reading) and not late:
        return reading, None
    if at == 0 and not early:
        return None, reading
    later = [Unreadable(each.before - at, each.error, each.received_ns, each.value) for each in late]
    # the size is a total: it goes with the first part
    return _part(reading, slice(0, at), early, reading.size_bytes), _part(reading, slice(at, None), later, 0)


def _part(reading: Reading, rows: slice, unreadable: list[Unreadable], size_bytes: int) -> Reading:
    said = Said.of_rows(reading.said.table()[rows])
    return Reading(
        reading.received_ns[rows], reading.ordinals[rows], reading.paths[rows], reading.flags[rows], said,
        None if reading.bodies is None else reading.bodies.part(rows), unreadable, size_bytes,
    )  # fmt: skip


def _merged(parts: Sequence[tuple[int, Reading]]) -> Reading:
    """Readings, each with its reader's number, in the order of receipt."""
    readings = [reading for _, reading in parts]
    if len(readings) == 1:
        return readings[0]
    received_ns = np.concatenate([reading.received_ns for reading in readings])
    order = np.argsort(received_ns, kind="stable")  # what is equal keeps its reader's place, and its own
    said = pa.concat_tables([reading.said.table() for reading in readings]).combine_chunks().take(order)
    bodies = [reading.bodies for reading in readings if reading.bodies is not None]
    return Reading(
        received_ns=received_ns[order],
        ordinals=np.concatenate([reading.ordinals for reading in readings])[order],
        paths=np.concatenate([reading.paths for reading in readings])[order],
        flags=np.concatenate([reading.flags for reading in readings])[order],
        said=Said.of_rows(said),
        bodies=Texts.joined(bodies).taken(order) if bodies else None,
        unreadable=_placed(readings, order, received_ns[order]),
        size_bytes=sum(reading.size_bytes for reading in readings),
    )


def _placed(readings: Sequence[Reading], order: Int64s, received_ns: Int64s) -> list[Unreadable]:
    """What is no decision, each behind the decisions that were received before it. `order` are the decisions' places
    one reading after the other, in the order of receipt; so are their instants."""
    found: list[tuple[int, int, Unreadable]] = []
    at = 0
    for reading in readings:
        found += [(each.received_ns, at + each.before, each) for each in reading.unreadable]
        at += len(reading)
    found.sort(key=lambda each: each[:2])
    placed = []
    for instant_ns, place, each in found:
        low, high = np.searchsorted(received_ns, instant_ns), np.searchsorted(received_ns, instant_ns, side="right")
        before = int(low + np.searchsorted(order[low:high], place))
        placed.append(Unreadable(before, each.error, each.received_ns, each.value))
    return placed
