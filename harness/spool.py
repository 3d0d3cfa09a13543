"""What the receiver stamped, on its way to the collector: files of bounded size, deleted once read.

A pipe would push back on the receiver when the collector is busy, and the stamps would then be late.
"""

import struct
from collections.abc import Callable, Iterator, Sequence, Sized
from pathlib import Path
from typing import BinaryIO, TypeVar

HEAD = struct.Struct("<qI")
MARK = 2**32 - 1
"""In place of a length: no message, only an instant up to which nothing more has come."""
SEGMENT_BYTES = 64 * 1024 * 1024
SOME_BYTES = 1 << 20
Stamped = tuple[int, bytes]
Found = TypeVar("Found", bound=Sized)


def _segment(stem: Path, number: int) -> Path:
    return stem.with_name(f"{stem.name}.{number:06d}")


class SpoolWriter:
    """Appends (received_ns, message); every `append` is handed to the system at once."""

    def __init__(self, stem: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._stem, self._limit, self._number, self._size = stem, segment_bytes, 0, 0
        self._file: BinaryIO = _segment(stem, 0).open("wb", buffering=0)

    def append(self, received_ns: int, values: Sequence[bytes]) -> None:
        """Append `values`, all received at `received_ns`."""
        self._write(b"".join(part for value in values for part in (HEAD.pack(received_ns, len(value)), value)))

    def mark(self, now_ns: int) -> None:
        """Say that whatever was received before `now_ns` has been appended."""
        self._write(HEAD.pack(now_ns, MARK))

    def _write(self, block: bytes) -> None:
        self._file.write(block)
        self._size += len(block)
        if self._size >= self._limit:
            self._roll()

    def _roll(self) -> None:
        self._number += 1
        # the next segment exists before this one is closed: the reader moves on when it sees it
        following = _segment(self._stem, self._number).open("wb", buffering=0)
        self._file.close()
        self._file, self._size = following, 0

    def close(self) -> None:
        """Close, and mark the end for the reader."""
        self._file.close()
        self._stem.with_name(f"{self._stem.name}.end").touch()


def stamped_in(block: bytes) -> tuple[list[Stamped], int, int | None]:
    """The whole messages that a block begins with; where what is left begins; and the last instant that was read, None
    where the block has none."""
    found: list[Stamped] = []
    at, until_ns = 0, None
    while at + HEAD.size <= len(block):
        received_ns, length = HEAD.unpack_from(block, at)
        end = at + HEAD.size + (0 if length == MARK else length)
        if end > len(block):
            break
        until_ns = received_ns
        if length != MARK:
            found.append((received_ns, block[at + HEAD.size : end]))
        at = end
    return found, at, until_ns


class SpoolReader:
    """Reads what has arrived so far; whole messages only. Everything received before `until_ns` has been read."""

    def __init__(self, stem: Path) -> None:
        self._stem, self._number, self._rest = stem, 0, b""
        self.until_ns = 0
        self._file: BinaryIO | None = None

    def _open(self) -> BinaryIO | None:
        if self._file is None and _segment(self._stem, self._number).exists():
            self._file = _segment(self._stem, self._number).open("rb", buffering=0)
        return self._file

    def read(self, limit_bytes: int = SOME_BYTES) -> list[Stamped]:
        """What is new, at most about `limit_bytes`; empty when there is nothing."""
        return self.parsed(stamped_in, limit_bytes) or []

    def parsed(
        self, parse: Callable[[bytes], tuple[Found, int, int | None]], limit_bytes: int = SOME_BYTES
    ) -> Found | None:
        """What is new, as `parse` finds it in a block (`stamped_in`); None when there is nothing."""
        # a block may end within its first message: then there is more to read, or soon will be
        while block := self._more(limit_bytes):
            block = self._rest + block
            found, behind, until_ns = parse(block)
            self._rest = block[behind:]
            self.until_ns = self.until_ns if until_ns is None else until_ns
            if len(found):
                return found
        return None

    def _more(self, limit_bytes: int) -> bytes:
        """What is new as it was written; nothing when there is nothing."""
        while (file := self._open()) is not None:
            followed = _segment(self._stem, self._number + 1).exists()
            block = file.read(limit_bytes)
            if block or not followed:
                return block
            file.close()
            _segment(self._stem, self._number).unlink()
            self._file, self._number = None, self._number + 1
        return b""

    def ended(self) -> bool:
        """True once the writer has closed (there may still be something to read)."""
        return self._stem.with_name(f"{self._stem.name}.end").exists()

    def close(self) -> None:
        """Remove what is left."""
        if self._file is not None:
            self._file.close()
        for path in self._stem.parent.glob(f"{self._stem.name}.*"):
            path.unlink()


def spooled(stem: Path) -> Iterator[bytes]:
    """The messages of a spool that was written to its end."""
    reader = SpoolReader(stem)
    while stamped := reader.read():
        for _, value in stamped:
            yield value
    reader.close()
