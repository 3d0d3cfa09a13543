"""Many small byte strings in one file: written in order, read by index without holding them in memory."""

import mmap
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class PageWriter:
    """Appends byte strings to `<stem>.bin`; `close` writes where each one starts to `<stem>.npy`."""

    def __init__(self, stem: Path) -> None:
        self._stem = stem
        self._file = stem.with_suffix(".bin").open("wb")
        self._lengths: list[npt.NDArray[np.int64]] = []

    def extend(self, values: Iterable[bytes]) -> None:
        """Append `values` in order."""
        held = list(values)
        self._file.write(b"".join(held))
        self._lengths.append(np.fromiter(map(len, held), dtype=np.int64, count=len(held)))

    def extend_texts(self, texts: pa.StringArray) -> None:
        """Append the bytes of these strings (no null) in order, without making objects of them."""
        _, offsets, data = texts.buffers()
        if data is None:
            return
        ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
        self._file.write(memoryview(data)[ends[0] : ends[-1]])
        self._lengths.append(np.diff(ends).astype(np.int64))

    def close(self) -> None:
        """Write the index and close."""
        self._file.close()
        lengths = np.concatenate([np.zeros(1, dtype=np.int64), *self._lengths])
        np.save(self._stem.with_suffix(".npy"), np.cumsum(lengths))


class Pages:
    """Reads what PageWriter wrote; index and bytes are mapped, not held."""

    def __init__(self, stem: Path) -> None:
        self._starts = np.load(stem.with_suffix(".npy"), mmap_mode="r").view(np.ndarray)
        with stem.with_suffix(".bin").open("rb") as file:
            empty = stem.with_suffix(".bin").stat().st_size == 0
            self._bytes: mmap.mmap | bytes = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: int) -> bytes:
        return self._bytes[int(self._starts[index]) : int(self._starts[index + 1])]

    @property
    def mapped(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """The bytes of all, and where each begins (and the last one ends)."""
        return np.frombuffer(self._bytes, np.uint8), self._starts

    def take(self, indices: npt.NDArray[np.int64]) -> list[bytes]:
        """Several, in the order of `indices`."""
        starts, ends = self._starts[indices].tolist(), self._starts[indices + 1].tolist()
        held = self._bytes
        return [held[start:end] for start, end in zip(starts, ends, strict=True)]
