"""Snapshots of state: one file, written whole or not at all, checked when read, the one before kept."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from streams.errors import BadInputError

MAGIC = b"RISKBENCH-STATE\n"
FORMAT_VERSION = 2
DIGEST_BYTES = 32
ALIGNMENT = 64
PIECE_BYTES = 1 << 20

Arrays = Mapping[str, npt.NDArray[Any]]


class SnapshotError(BadInputError):
    """A snapshot that is missing, damaged, or of something else."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a snapshot of one kind holds: its settings as a struct, its arrays by name with type and shape (None: any).

    A change of what the fields mean, with the same types and shapes, needs a new `FORMAT_VERSION`.
    """

    settings: type[msgspec.Struct]
    arrays: Mapping[str, tuple[Any, tuple[int | None, ...]]]


class _Column(msgspec.Struct, frozen=True):
    name: str
    dtype: str
    shape: list[int]


class _Header(msgspec.Struct, frozen=True):
    format: int
    kind: str
    offsets: dict[str, int]
    settings: dict[str, Any]
    columns: list[_Column]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot holds: named arrays, JSON settings, and the input offsets that are contained in it."""

    kind: str
    settings: dict[str, Any]
    offsets: dict[str, int]
    arrays: dict[str, npt.NDArray[Any]]


def previous_path(path: Path) -> Path:
    """Where the snapshot before the newest one is kept."""
    return path.with_name(path.name + ".previous")


def write_snapshot(
    path: Path,
    kind: str,
    settings: Mapping[str, Any],
    offsets: Mapping[str, int],
    arrays: Arrays,
    rest: Callable[[], object] = lambda: None,
) -> None:
    """Write a snapshot: the same content gives the same bytes. `rest` is called after each `PIECE_BYTES`: who writes
    beside others leaves the processor to them there.

    At every instant there is a whole snapshot at `path` (after the first call). The one replaced is kept beside it,
    see `previous_path`.
    """
    columns = [_Column(name, array.dtype.str, list(array.shape)) for name, array in arrays.items()]
    header = _Header(FORMAT_VERSION, kind, dict(sorted(offsets.items())), dict(settings), columns)
    head = msgspec.json.encode(header)
    head += b" " * (-(len(MAGIC) + 8 + len(head)) % ALIGNMENT)
    draft = path.with_name(path.name + ".draft")
    with draft.open("wb") as file:
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        parts = (part for array in arrays.values() for part in _padded(array))
        for part in (MAGIC, len(head).to_bytes(8, "little"), head, *parts):
            for piece in _pieces(part):
                digest.update(piece)
                file.write(piece)
                if len(piece) == PIECE_BYTES:
                    rest()
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    _keep_previous(path)
    draft.replace(path)
    _sync_folder(path.parent)


def _padded(array: npt.NDArray[Any]) -> tuple[memoryview, bytes]:
    """An array's bytes, not copied (who copies holds up the other threads), and what follows them."""
    content: memoryview = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    return content, b"\0" * (-len(content) % ALIGNMENT)


def _pieces(part: bytes | memoryview) -> Iterator[memoryview]:
    """A part cut up, not copied."""
    whole = memoryview(part)
    for first in range(0, len(whole), PIECE_BYTES):
        yield whole[first : first + PIECE_BYTES]


def _keep_previous(path: Path) -> None:
    """A second name for the present snapshot, so that there is no instant without one."""
    if not path.exists():
        return
    spare = path.with_name(path.name + ".spare")
    spare.unlink(missing_ok=True)
    try:
        os.link(path, spare)
    except OSError:  # a file system without hard links
        spare.write_bytes(path.read_bytes())
    spare.replace(previous_path(path))


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system lets a folder be synced
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_snapshot(path: Path, kind: str, layout: Layout | None = None, advice: str | None = None) -> Snapshot:
    """Read and check a snapshot; its arrays are writable.

    Raises `SnapshotError` when there is none, when it is damaged, of another kind, format or layout. `advice` ends its
    words; without it they say how a state is had again.
    """
    try:
        return _read_snapshot(path, kind, layout)
    except _UnusableError as error:
        raise SnapshotError(f"{error}. {_advice(path) if advice is None else advice}".rstrip()) from error.__cause__


class _UnusableError(Exception):
    """What is wrong with a snapshot."""


def _read_snapshot(path: Path, kind: str, layout: Layout | None) -> Snapshot:
    content = _read(path)
    if not content.startswith(MAGIC):
        raise SnapshotError(f"{path} is no snapshot of {kind}: it does not start as one ({len(content)} bytes)")
    body, digest = memoryview(content)[:-DIGEST_BYTES], content[-DIGEST_BYTES:]  # not a copy: a state has gigabytes
    if hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() != digest:
        raise _UnusableError(f"{path} is damaged: its checksum does not match its {len(content)} bytes")
    start = len(MAGIC) + 8
    end = start + int.from_bytes(body[len(MAGIC) : start], "little")
    header = _header(path, bytes(body[start:end]))
    if header.kind != kind:
        raise SnapshotError(f"{path} holds {header.kind}, not {kind}")
    try:
        arrays = _arrays(body, end, header.columns)
    except (TypeError, ValueError, OverflowError) as error:
        raise _UnusableError(f"{path} is damaged: its arrays are not where its header says ({error})") from error
    snapshot = Snapshot(kind, header.settings, header.offsets, arrays)
    if layout is not None:
        _check_layout(path, snapshot, layout)
    return snapshot


def _check_layout(path: Path, snapshot: Snapshot, layout: Layout) -> None:
    try:
        msgspec.convert(snapshot.settings, layout.settings)
    except msgspec.ValidationError as error:
        raise _of_another_version(path, f"its settings do not fit ({error})") from error
    for name, (dtype, shape) in layout.arrays.items():
        found = snapshot.arrays.get(name)
        if found is None:
            raise _of_another_version(path, f"it has no {name}")
        fits = len(shape) == found.ndim and all(n in (None, m) for n, m in zip(shape, found.shape, strict=True))
        if found.dtype != dtype or not fits:
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            raise _of_another_version(
                path, f"{name} is {found.dtype} {list(found.shape)}, not {np.dtype(dtype)} [{wanted}]"
            )


def _of_another_version(path: Path, what: str) -> _UnusableError:
    return _UnusableError(f"{path} was written by another version of this program: {what}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise _UnusableError(f"there is no snapshot {path}") from None
    except OSError as error:
        raise SnapshotError(f"snapshot {path} cannot be read: {error.strerror}") from error


def _header(path: Path, head: bytes) -> _Header:
    try:
        found = msgspec.json.decode(head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _UnusableError(f"{path} is damaged: its header cannot be read ({error})") from error
    version = found.get("format") if isinstance(found, dict) else None
    if version != FORMAT_VERSION:
        raise SnapshotError(f"{path} has snapshot format {version}; this version reads format {FORMAT_VERSION}")
    try:
        return msgspec.convert(found, _Header)
    except msgspec.ValidationError as error:
        raise _of_another_version(path, f"its header does not fit ({error})") from error


def _arrays(body: memoryview, start: int, columns: list[_Column]) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {}
    for column in columns:
        dtype, count = np.dtype(column.dtype), int(np.prod(column.shape, dtype=np.int64))
        arrays[column.name] = np.frombuffer(body, dtype, count, start).reshape(column.shape).copy()
        size = count * dtype.itemsize
        start += size + -size % ALIGNMENT
    return arrays


def _advice(path: Path) -> str:
    previous = previous_path(path)
    if previous.exists():
        return f"The one before it is {previous}: load that, or warm the state anew."
    return "Warm the state anew."
