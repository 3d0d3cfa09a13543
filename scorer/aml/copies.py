"""Copies of a large state, in memory kept for them: who copies into new memory waits for the system to find it, and
what was not written to since the last copy is not copied again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.batch import UInt8s
from models.graph.followed import Followed

SLACK = 8
"""A room is larger than was asked for by one in so many parts; with less than half of that to spare it
is made larger."""
GROUPS_AT_ONCE = 4_096
"""Groups of rows that are looked for before they are copied: a list of more is memory to be found."""


@dataclass(slots=True)
class _Following:
    """Arrays whose rooms hold what their marks say, and the group at which copying ahead goes on."""

    copied: UInt8s
    at: int = 0


class Copies:
    """One copy at a time of arrays by name, into memory that was written to before.

    Followed arrays are followed in every call: their rooms are what their marks are about.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, NDArray[np.uint8]] = {}
        self._used: dict[str, int] = {}
        self._following: dict[tuple[str, ...], _Following] = {}

    def take(self, arrays: Mapping[str, NDArray[Any]], followed: Sequence[Followed]) -> dict[str, NDArray[Any]]:
        """Copies of these arrays; they last until the next call, or until something is copied ahead of it.

        Of those that are `followed` only what is not copied yet is copied."""
        copies: dict[str, NDArray[Any]] = {}
        for each in followed:
            copies |= self._catch_up(each)
        return {name: copies[name] if name in copies else self._copy(name, array) for name, array in arrays.items()}

    def copy_ahead(self, followed: Sequence[Followed], most: int) -> None:
        """Copy up to `most` groups of rows of each beforehand, so that they are not left to `take`.

        What was taken last is lost."""
        for each in followed:
            following = self._following_of(each)
            if following is not None:
                after = each.copy_groups(self._views(each), following.at, most)
                following.at = after if after < each.groups else 0

    def widen(self) -> None:
        """Make room for arrays that grow, while nobody waits and nothing is copied. What is in the rooms stays."""
        for name, used in self._used.items():
            room = self._rooms[name]
            if len(room) < used + used // (2 * SLACK):
                self._rooms[name] = _room(used)
                self._rooms[name][: len(room)] = room

    def _catch_up(self, followed: Followed) -> dict[str, NDArray[Any]]:
        if self._following_of(followed) is None:
            followed.forget()
            self._following[tuple(followed.arrays)] = _Following(followed.copied)
        copies, at = self._views(followed), 0
        while at < followed.groups:
            at = followed.copy_groups(copies, at, GROUPS_AT_ONCE)
        followed.copy_rest(copies)
        return copies

    def _following_of(self, followed: Followed) -> _Following | None:
        """None where the marks are of another state than the rooms are, or rooms do not hold the arrays any more."""
        found = self._following.get(tuple(followed.arrays))
        if found is None or found.copied is not followed.copied:
            return None
        fits = all(array.nbytes <= len(self._rooms[name]) for name, array in followed.arrays.items())
        return found if fits else None

    def _copy(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        copy = self._view(name, array)
        np.copyto(copy, array)
        return copy

    def _views(self, followed: Followed) -> dict[str, NDArray[Any]]:
        return {name: self._view(name, array) for name, array in followed.arrays.items()}

    def _view(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """What of a room such an array takes."""
        size = array.nbytes
        room = self._rooms.get(name)
        if room is None or len(room) < size:
            room = self._rooms[name] = _room(size)
        self._used[name] = size
        view: NDArray[Any] = room[:size].view(array.dtype).reshape(array.shape)
        return view


def _room(size: int) -> NDArray[np.uint8]:
    return np.ones(size + size // SLACK, np.uint8)
