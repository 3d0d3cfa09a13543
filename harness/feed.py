"""Everything the load process will send, encoded before the run: events, dispositions, day ends, and their order."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.pages import PageWriter
from streams.codec import encode, encode_transactions
from streams.errors import BadInputError
from streams.labels import CUT_OFF_NS, NS_PER_DAY, DayEnd, Disposition, business_days

Int64s = npt.NDArray[np.int64]
ROWS_PER_CHUNK = 50_000
DISPOSITIONS, DAY_ENDS = 0, 1


@dataclass(frozen=True, slots=True)
class SideMessages:
    """Messages beside the events, in sending order: each goes out as soon as `before` events are out, and does not wait
    for the instant of the next one."""

    before: Int64s
    topic: npt.NDArray[np.uint8]
    values: list[bytes]


def _day_ends(event_times: Int64s, reported: Int64s) -> tuple[Int64s, list[DayEnd]]:
    """A trailer for each business day that ends within the stream, with the totals sent up to then."""
    if len(event_times) == 0:
        return np.zeros(0, dtype=np.int64), []
    days = business_days(event_times)
    closed = np.arange(days[0], days[-1], dtype=np.int64)
    ends = (closed + 1) * NS_PER_DAY - CUT_OFF_NS
    events = np.searchsorted(event_times, ends, side="left")
    dispositions = np.searchsorted(reported, ends, side="left")
    trailers = [
        DayEnd(day=int(d), events=int(e), dispositions=int(r))
        for d, e, r in zip(closed, events, dispositions, strict=True)
    ]
    return ends, trailers


def _merge(event_times: Int64s, reported: Int64s, dispositions: list[bytes]) -> SideMessages:
    """Dispositions and day ends by event time; a day end comes after every disposition of its day."""
    ends, trailers = _day_ends(event_times, reported)
    times = np.concatenate([reported, ends])
    topic = np.concatenate([np.full(len(reported), DISPOSITIONS, np.uint8), np.full(len(ends), DAY_ENDS, np.uint8)])
    # a day end carries the first instant of the next day: at equal times it goes first
    order = np.lexsort((1 - topic, times))
    values = dispositions + [encode(trailer) for trailer in trailers]
    before = np.searchsorted(event_times, times[order], side="left")
    return SideMessages(before, topic[order], [values[i] for i in order])


def side_messages(event_times: Int64s, dispositions: pa.Table) -> SideMessages:
    """The side messages of a stream whose events lie at `event_times` (ascending, ns).

    `dispositions` has the fields of streams.labels.Disposition as columns, in the order of `reported_at_ns`.
    """
    reported = dispositions["reported_at_ns"].to_numpy().astype(np.int64)
    encoded = [encode(Disposition(**row)) for row in dispositions.to_pylist()]
    return _merge(event_times, reported, encoded)


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
    return table.sort_by([("reported_at_ns", "ascending"), ("event_id", "ascending")])


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


def write_feed(folder: Path, events: pa.Table, dispositions: pa.Table, schedule_ns: Int64s) -> None:
    """Write what load and collector read: messages, keys, side messages, schedule, and the ids' index."""
    folder.mkdir(parents=True, exist_ok=True)
    messages = PageWriter(folder / "messages")
    hashes = []
    for start in range(0, len(events), ROWS_PER_CHUNK):
        part = events.slice(start, ROWS_PER_CHUNK)
        messages.extend(encode_transactions(part))
        hashes.append(event_hashes(part["event_id"].to_pylist()))
    messages.close()
    _write_index(folder, np.concatenate(hashes) if hashes else np.zeros(0, np.uint64))
    cards = events["card_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    keys = PageWriter(folder / "keys")
    keys.extend(key.encode() for key in cards.dictionary.to_pylist())
    keys.close()
    np.save(folder / "key_codes.npy", cards.indices.to_numpy().astype(np.int32))
    side = side_messages(events["event_time_ns"].to_numpy(), dispositions)
    beside = PageWriter(folder / "side")
    beside.extend(side.values)
    beside.close()
    np.save(folder / "side_before.npy", side.before)
    np.save(folder / "side_topic.npy", side.topic)
    np.save(folder / "schedule.npy", schedule_ns.astype(np.int64))
