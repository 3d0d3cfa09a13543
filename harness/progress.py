"""Live figures shared between processes: a few integers in a mapped file."""

from pathlib import Path

import numpy as np

FIELDS = (
    "sent",
    "answered",
    "rules",
    "model",
    "fallback",
    "duplicated",
    "unknown",
    "malformed",
    "p50_ns",
    "p99_ns",
)


class Live:
    """Named integers in a file that several processes map; each field has one writer."""

    def __init__(self, values: "np.memmap[tuple[int], np.dtype[np.int64]]") -> None:
        self._values = values

    @classmethod
    def create(cls, path: Path) -> "Live":
        """A new file, all zero."""
        return cls(np.memmap(path, dtype=np.int64, mode="w+", shape=(len(FIELDS),)))

    @classmethod
    def open(cls, path: Path) -> "Live":
        """A file that `create` made."""
        return cls(np.memmap(path, dtype=np.int64, mode="r+", shape=(len(FIELDS),)))

    def set(self, **values: int) -> None:
        """Set fields by name."""
        for name, value in values.items():
            self._values[FIELDS.index(name)] = value

    def get(self) -> dict[str, int]:
        """All fields."""
        return dict(zip(FIELDS, self._values.tolist(), strict=True))
