"""Copies of a large state, in memory kept for them: who copies into new memory waits for the system to find it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

SLACK = 8
"""A room is larger than was asked for by one in so many parts; with less than half of that to spare it
is made larger."""


class Copies:
    """One copy at a time of arrays by name, into memory that was written to before."""

    def __init__(self) -> None:
        self._rooms: dict[str, NDArray[np.uint8]] = {}
        self._used: dict[str, int] = {}

    def take(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Copies of these arrays; they last until the next call."""
        return {name: self._copy(name, array) for name, array in arrays.items()}

    def widen(self) -> None:
        """Make room for arrays that grow, while nobody waits: what was taken last is lost."""
        for name, used in self._used.items():
            if len(self._rooms[name]) < used + used // (2 * SLACK):
                self._rooms[name] = _room(used)

    def _copy(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        size = array.nbytes
        room = self._rooms.get(name)
        if room is None or len(room) < size:
            room = self._rooms[name] = _room(size)
        self._used[name] = size
        copy: NDArray[Any] = room[:size].view(array.dtype).reshape(array.shape)
        np.copyto(copy, array)
        return copy


def _room(size: int) -> NDArray[np.uint8]:
    return np.ones(size + size // SLACK, np.uint8)
