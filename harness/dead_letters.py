"""dead_letters.parquet: every message the scorer refused, with its reason and its own bytes, and whether a fault of the
run had put it in."""

import logging
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.accounts import EventIndex
from harness.ours import ours_of
from harness.pages import Pages
from streams.codec import UNDECODABLE, decode_dead_letter
from streams.decision import DeadLetter
from streams.errors import BadInputError

logger = logging.getLogger("riskbench.harness.dead_letters")
DEAD_LETTERS_FILE = "dead_letters.parquet"
ROWS_PER_GROUP = 4_096
NOT_KNOWN = -1
VARYING = re.compile(r"'[^']*'|0x[0-9a-f]+|\d[\d,.:TZ-]*\d|\d")

DEAD_LETTER_SCHEMA = pa.schema(
    [
        pa.field("reason", pa.string(), nullable=False),
        pa.field("topic", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("key", pa.binary()),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("original", pa.binary(), nullable=False),
        pa.field("fault", pa.int32()),
    ]
)
"""`size_bytes` is the message's length; `original` is shorter where a letter could not hold all of it. `fault` is the
place in the scenario's `faults` of the one that put the message in, null for one that nobody did."""


class Fed:
    """What the faults of a feed put in, by the bytes: each message is recognised once."""

    def __init__(self, feed: Path) -> None:
        pages, places = Pages(feed / "fed"), np.load(feed / "fed_place.npy").tolist()
        self._places: defaultdict[bytes, deque[int]] = defaultdict(deque)
        for index, place in enumerate(places):
            self._places[_digest(pages[index])].append(place)

    def fault_of(self, original: bytes) -> int | None:
        """The fault that put in a message of these bytes; None when none did, or all of them were recognised."""
        waiting = self._places.get(_digest(original))
        return waiting.popleft() if waiting else None


def _digest(value: bytes) -> bytes:
    return blake2b(value, digest_size=16).digest()


@dataclass(slots=True)
class Kept:
    """How many were kept; `again` were letters for a message that had one already, after a scorer's restart."""

    letters: int = 0
    again: int = 0


def letters_of(index: EventIndex, messages: Iterable[bytes]) -> Iterator[bytes]:
    """Without those that refuse an event of another host, where several share a stream."""
    for message in messages:
        try:
            original = decode_dead_letter(message).original
        except UNDECODABLE:
            original = b""
        if ours_of(index, [(0, original)]):
            yield message


def keep_dead_letters(messages: Iterable[bytes], feed: Path, out: Path) -> Kept:
    """Write the messages of the dead-letter topic as rows; one that is no dead letter becomes one of its own.

    A letter for a message that had one already (same topic, partition and offset) is counted and left out.
    """
    fed, kept, seen = Fed(feed), Kept(), set[tuple[str, int, int]]()
    rows: list[dict[str, Any]] = []
    with pq.ParquetWriter(out, DEAD_LETTER_SCHEMA, compression="zstd") as writer:
        for message in messages:
            letter = _decoded(message)
            whence = (letter.topic, letter.partition, letter.offset)
            if letter.offset != NOT_KNOWN and whence in seen:
                kept.again += 1
                continue
            seen.add(whence)
            rows.append(_row(letter, fed.fault_of(letter.original)))
            kept.letters += 1
            if len(rows) >= ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_pylist(rows, DEAD_LETTER_SCHEMA))
                rows.clear()
        writer.write_table(pa.Table.from_pylist(rows, DEAD_LETTER_SCHEMA))
    if kept.again:
        logger.warning("%d messages were dead-lettered more than once", kept.again)
    return kept


def _decoded(message: bytes) -> DeadLetter:
    try:
        return decode_dead_letter(message)
    except UNDECODABLE as error:
        return DeadLetter(
            reason=f"the scorer wrote what is no dead letter: {error}",
            topic="",
            partition=NOT_KNOWN,
            offset=NOT_KNOWN,
            original=message,
        )


def _row(letter: DeadLetter, fault: int | None) -> dict[str, Any]:
    return {
        "reason": letter.reason,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "key": letter.key,
        "size_bytes": letter.original_bytes or len(letter.original),
        "original": letter.original,
        "fault": fault,
    }


def read_dead_letters(run: Path) -> pa.Table:
    """A run's dead letters. Raises BadInputError when the folder is no run's, or keeps none."""
    file = run / DEAD_LETTERS_FILE
    if not run.is_dir():
        raise BadInputError(f"{run}: no such run folder")
    if not file.is_file():
        raise BadInputError(f"{file} is not there: runs without a broker have no dead letters, older ones kept none")
    try:
        return pq.read_table(file, schema=DEAD_LETTER_SCHEMA)
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"{file} cannot be read as Parquet: {error}") from error


def reason_kind(reason: str) -> str:
    """A reason without what differs from message to message: its numbers, dates and quoted values."""
    return VARYING.sub("…", reason)
