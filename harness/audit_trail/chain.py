"""Reads a trail back line by line: does each line's contents give its hash, and which record does it say it is?"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from harness.audit_trail.records import content_hash

_HEX = rb"[0-9a-f]{64}"
_TAIL = re.compile(rb'.*,"prev":"(' + _HEX + rb')","hash":"(' + _HEX + rb')"}\n', re.DOTALL)
_SIGNATURE_BYTES = len(b',"hash":""}\n') + 64
NO_SEQ = -1
SEQ_MAX = 1 << 62


class Content(msgspec.Struct, frozen=True):
    """What is compared of a line's contents; keys a kind of record does not have stay None."""

    kind: str
    seq: int
    event_id: str | None = None
    file: str | None = None
    content: str | None = None
    error: str | None = None
    outcome: str | None = None
    score: float | None = None
    margin: float | None = None
    path: str | None = None
    features: str | None = None
    input: str | None = None
    late: bool | None = None
    reasons: Any = None
    rules_version: str | None = None
    model_version: str | None = None
    attempt: int | None = None
    candidate: str | None = None
    gate: str | None = None
    passed: bool | None = None
    event_time_ns: int | None = None
    why: str | None = None
    evidence: Any = None


_decode = msgspec.json.Decoder(Content).decode


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `content` is None where it is no record; `own` is the hash its contents really give, `claimed` the one
    it bears."""

    number: int
    content: Content | None
    prev: str
    own: str
    claimed: str
    whole: bool

    @property
    def intact(self) -> bool:
        """Its contents give its hash."""
        return self.content is not None and self.own == self.claimed


def read_line(number: int, raw: bytes) -> Line:
    """One line of the file, its newline included where it has one."""
    whole = raw.endswith(b"\n")
    parts = _TAIL.fullmatch(raw)
    if parts is None:
        return Line(number, None, "", "", "", whole)
    own = content_hash(raw[:-_SIGNATURE_BYTES] + b"}")
    try:
        content = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        content = None
    return Line(number, content, parts[1].decode(), own, parts[2].decode(), whole)


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """The lines of a trail, from 1."""
    for number, raw in enumerate(file, start=1):
        yield read_line(number, raw)


def read_content(path: Path, numbers: set[int]) -> dict[int, Content]:
    """The contents of some lines, by their numbers."""
    with path.open("rb") as file:
        found = {line.number: line.content for line in read_lines(file) if line.number in numbers}
    return {number: content for number, content in found.items() if content is not None}


@dataclass(slots=True)
class Chain:
    """What is kept of every line to say what is wrong: 25 bytes a line. Line n is at index n - 1.

    `seq` is NO_SEQ where a line is no record; `own` and `prev` are the first 64 bits of the hashes; `intact` is 1 where
    the contents give the hash. `links` tells whether every line names the whole hash of the one before it.
    """

    seq: "array[int]" = field(default_factory=lambda: array("q"))
    own: "array[int]" = field(default_factory=lambda: array("Q"))
    prev: "array[int]" = field(default_factory=lambda: array("Q"))
    intact: bytearray = field(default_factory=bytearray)
    links: bool = True
    head: str = ""
    last: Line | None = None

    def add(self, line: Line, first_prev: str) -> None:
        """Take the next line; `first_prev` is what the first line has to name."""
        expected = self.head if self.last is not None else first_prev
        content = line.content
        self.links &= line.intact and line.prev == expected and content is not None and content.seq == len(self.seq)
        self.seq.append(content.seq if content is not None and 0 <= content.seq < SEQ_MAX else NO_SEQ)
        # a line that was altered after it was written is known to its neighbour by the hash it had then
        self.own.append(first_64(line.own if line.intact else line.claimed))
        self.prev.append(first_64(line.prev))
        self.intact.append(line.intact)
        self.head, self.last = line.claimed, line

    def __len__(self) -> int:
        return len(self.seq)


def first_64(digest: str) -> int:
    """The first 64 bits of a hash."""
    return int(digest[:16] or "0", 16)
