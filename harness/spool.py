"""What the receiver stamped, on its way to the collector: files of bounded size, deleted once read.

A pipe would push back on the receiver when the collector is busy, and the stamps would then be late.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

HEAD = struct.Struct("<qI")
MARK = 2**32 - 1
"""In place of a length: no message, only an instant up to which nothing more has come."""
SEGMENT_BYTES = 64 * 1024 * 1024
Stamped = tuple[int, bytes]


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

    def _parse(self, block: bytes) -> Iterator[Stamped]:
        """Whole messages; what is left of one is kept for the next read."""
        at = 0
        while at + HEAD.size <= len(block):
            received_ns, length = HEAD.unpack_from(block, at)
            end = at + HEAD.size + (0 if length == MARK else length)
            if end > len(block):
                break
            self.until_ns = received_ns
            if length != MARK:
                yield received_ns, block[at + HEAD.size : end]
            at = end
        self._rest = block[at:]

    def read(self, limit_bytes: int = 1 << 20) -> list[Stamped]:
        """What is new, at most about `limit_bytes`; empty when there is nothing."""
        file = self._open()
        if file is None:
            return []
        followed = _segment(self._stem, self._number + 1).exists()
        block = file.read(limit_bytes)
        if not block and followed:
            file.close()
            _segment(self._stem, self._number).unlink()
            self._file, self._number = None, self._number + 1
            return self.read(limit_bytes)
        if not block:
            return []
        # the block may end within its first message: then there is more to read, or soon will be
        return list(self._parse(self._rest + block)) or self.read(limit_bytes)

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
