"""Everything the load process will send, encoded before the run: events, dispositions, day ends, and their order."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.pages import Pages, PageWriter
from streams.codec import encode
from streams.errors import BadInputError
from streams.event_texts import event_texts
from streams.labels import CUT_OFF_NS, NS_PER_DAY, DayEnd, Disposition, business_days

Int64s = npt.NDArray[np.int64]
ROWS_PER_CHUNK = 50_000
DISPOSITIONS, DAY_ENDS = 0, 1
OTHERS, STRAYS = "others.npy", "strays.npy"


@dataclass(frozen=True, slots=True)
class PutIn:
    """Messages that faults put between the events, in the order of sending: each goes out as soon as the event `after`
    has, with the key of the event `source` (ordinals); `place` is its fault's in the scenario's list."""

    after: Int64s
    source: Int64s
    place: Int64s
    values: list[bytes]


NOTHING: Int64s = np.zeros(0, np.int64)
Making = Callable[[Int64s, Callable[[int], bytes]], PutIn]
"""What is put in: made of the schedule (ns) and of the events' messages by their ordinals."""


def nothing(schedule_ns: Int64s, message: Callable[[int], bytes]) -> PutIn:
    """Put nothing in."""
    del schedule_ns, message
    return PutIn(NOTHING, NOTHING, NOTHING, [])


@dataclass(frozen=True, slots=True)
class SideMessages:
    """Messages beside the events, in sending order: each goes out as soon as `before` events are out, and does not wait
    for the instant of the next one."""

    before: Int64s
    topic: npt.NDArray[np.uint8]
    values: list[bytes]


NO_SIDE_MESSAGES = SideMessages(np.zeros(0, np.int64), np.zeros(0, np.uint8), [])
"""Transfers have no nightly job that waits for a business day's end."""


def _day_ends(event_times: Int64s, reported: Int64s, put_in_after: Int64s) -> tuple[Int64s, list[DayEnd]]:
    """A trailer for each business day that ends within the stream, with the totals sent up to then."""
    if len(event_times) == 0:
        return np.zeros(0, dtype=np.int64), []
    days = business_days(event_times)
    closed = np.arange(days.min(), days.max(), dtype=np.int64)
    ends = (closed + 1) * NS_PER_DAY - CUT_OFF_NS
    events = np.searchsorted(np.sort(event_times), ends, side="left")
    # what a fault put in is a message sent, and a message that will be received
    events += np.searchsorted(put_in_after, _first_not_before(event_times, ends), side="left")
    dispositions = np.searchsorted(reported, ends, side="left")
    trailers = [
        DayEnd(day=int(d), events=int(e), dispositions=int(r))
        for d, e, r in zip(closed, events, dispositions, strict=True)
    ]
    return ends, trailers


def _first_not_before(event_times: Int64s, times: Int64s) -> Int64s:
    """The ordinal of the first event that happened at each of these times or later."""
    return np.asarray(np.searchsorted(np.maximum.accumulate(event_times), times, side="left"), np.int64)


def _merge(event_times: Int64s, reported: Int64s, dispositions: list[bytes], put_in_after: Int64s) -> SideMessages:
    """Dispositions and day ends by event time; a day end comes after every disposition of its day."""
    ends, trailers = _day_ends(event_times, reported, put_in_after)
    times = np.concatenate([reported, ends])
    topic = np.concatenate([np.full(len(reported), DISPOSITIONS, np.uint8), np.full(len(ends), DAY_ENDS, np.uint8)])
    # a day end carries the first instant of the next day: at equal times it goes first
    order = np.lexsort((1 - topic, times))
    values = dispositions + [encode(trailer) for trailer in trailers]
    before = _first_not_before(event_times, times[order])
    return SideMessages(before, topic[order], [values[i] for i in order])


def side_messages(event_times: Int64s, dispositions: pa.Table, put_in_after: Int64s = NOTHING) -> SideMessages:
    """The side messages of a stream whose events, in the order of sending, lie at `event_times` (ns); `put_in_after`
    says after which of them (ordinals, ascending) a message of a fault goes out.

    `dispositions` has the fields of streams.labels.Disposition as columns, in the order of `reported_at_ns`.
    """
    reported = dispositions["reported_at_ns"].to_numpy().astype(np.int64)
    encoded = [encode(Disposition(**row)) for row in dispositions.to_pylist()]
    return _merge(event_times, reported, encoded, put_in_after)


def dispositions_between(events: pa.Table, labels: pa.Table, from_ns: int, until_ns: int) -> pa.Table:
    """Frauds that become known in [from_ns, until_ns], in that order, with the places they happened at."""
    reported = labels["reported_at_ns"]
    known = pc.and_(pc.greater_equal(reported, from_ns), pc.less_equal(reported, until_ns))
    chosen = pc.indices_nonzero(pc.fill_null(known, False))
    columns = {
        name: events[name].take(chosen).cast(pa.string() if name.endswith("_id") else pa.int64())
        for name in ("event_id", "event_time_ns", "card_id", "merchant_id", "terminal_id", "device_id")
    }
    table = pa.table({**columns, "reported_at_ns": reported.take(chosen), "is_fraud": labels["is_fraud"].take(chosen)})
    return in_order(table)


def in_order(dispositions: pa.Table) -> pa.Table:
    """By the instant at which each became known."""
    return dispositions.sort_by([("reported_at_ns", "ascending"), ("event_id", "ascending")])


def event_hashes(ids: list[str]) -> npt.NDArray[np.uint64]:
    """64 bits of each event id, the same in every process (BLAKE2b)."""
    digest = b"".join(hashlib.blake2b(i.encode(), digest_size=8).digest() for i in ids)
    return np.frombuffer(digest, dtype=np.uint64)


def _write_index(folder: Path, hashes: npt.NDArray[np.uint64]) -> None:
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    repeated = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(repeated):
        first, second = order[repeated[0]], order[repeated[0] + 1]
        raise BadInputError(f"events {first + 1} and {second + 1} of the stream have the same event_id")
    np.save(folder / "index_hashes.npy", ordered)
    np.save(folder / "index_ordinals.npy", order.astype(np.int64))


def _write_fed(folder: Path, fed: PutIn) -> None:
    pages = PageWriter(folder / "fed")
    pages.extend(fed.values)
    pages.close()
    for name in ("after", "source", "place"):
        np.save(folder / f"fed_{name}.npy", getattr(fed, name))


def write_others(folder: Path, event_ids: list[str], *, strays: bool) -> None:
    """Write into a feed folder whose events other hosts send: answers to them are theirs to account for. `strays`: what
    belongs to nobody is accounted for here."""
    np.save(folder / OTHERS, np.sort(event_hashes(event_ids)))
    np.save(folder / STRAYS, np.array(strays))


def owners(events: pa.Table) -> pa.ChunkedArray:
    """Whose event each is: the card's, or the account's that pays (or, where that is not known, is paid)."""
    if "card_id" in events.column_names:
        return events["card_id"].cast(pa.string())
    payer, payee = (events[side].cast(pa.string()) for side in ("from_account", "to_account"))
    return pc.coalesce(payer, payee, pa.scalar(""))


class _Keys:
    """Codes of owners, in the order in which they are first met."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self._parts: list[npt.NDArray[np.int32]] = []

    def add(self, owners: pa.ChunkedArray) -> None:
        """Code the next events' owners."""
        found = owners.combine_chunks().dictionary_encode()
        codes = [self.codes.setdefault(owner, len(self.codes)) for owner in found.dictionary.to_pylist()]
        self._parts.append(np.array(codes, np.int32)[found.indices.to_numpy()])

    def write(self, folder: Path) -> None:
        """The keys by code, and the code of every event."""
        keys = PageWriter(folder / "keys")
        keys.extend(owner.encode() for owner in self.codes)
        keys.close()
        np.save(folder / "key_codes.npy", np.concatenate([np.zeros(0, np.int32), *self._parts]))


def _chunks(events: pa.Table | Path) -> Iterator[pa.Table]:
    """Events, bounded parts of them at a time."""
    if isinstance(events, Path):
        with pq.ParquetFile(events) as file:
            for batch in file.iter_batches(ROWS_PER_CHUNK):
                yield pa.Table.from_batches([batch])
        return
    for start in range(0, len(events), ROWS_PER_CHUNK):
        yield events.slice(start, ROWS_PER_CHUNK)


def write_feed(
    folder: Path,
    events: pa.Table | Path,
    dispositions: pa.Table,
    schedule_ns: Int64s,
    put_in: Making = nothing,
    side: SideMessages | None = None,
) -> None:
    """Write what load and collector read: messages, keys, side messages (`side`, else those of events and
    dispositions), schedule, the ids' index, and what faults of the input put in.

    `events` is a table, or a Parquet file that is read bit by bit: of each event some tens of bytes are held.
    """
    folder.mkdir(parents=True, exist_ok=True)
    messages, keys, are_cards = PageWriter(folder / "messages"), _Keys(), False
    hashes, times = [np.zeros(0, np.uint64)], [NOTHING]
    for part in _chunks(events):
        for texts in event_texts(part).chunks:
            messages.extend_texts(texts)
        hashes.append(event_hashes(part["event_id"].to_pylist()))
        times.append(part["event_time_ns"].to_numpy())
        keys.add(owners(part))
        are_cards = "card_id" in part.column_names
    messages.close()
    _write_index(folder, np.concatenate(hashes))
    keys.write(folder)
    fed = put_in(schedule_ns, Pages(folder / "messages").__getitem__)
    _write_fed(folder, fed)
    if side is None:
        side = side_messages(np.concatenate(times), dispositions, fed.after) if are_cards else NO_SIDE_MESSAGES
    beside = PageWriter(folder / "side")
    beside.extend(side.values)
    beside.close()
    np.save(folder / "side_before.npy", side.before)
    np.save(folder / "side_topic.npy", side.topic)
    np.save(folder / "schedule.npy", schedule_ns.astype(np.int64))
