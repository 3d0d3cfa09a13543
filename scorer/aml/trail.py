"""Which transfers an account made last: a chain a account through one ring of the most recent transfers of all.

A transfer has two nodes in the ring, its sender's and its receiver's; each points to the node before it of the same
account. So memory is bounded by the ring, however many accounts there are, and what an account did up to a transfer is
found from that transfer's own node: it does not matter what came after it, in its batch or later.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.graph.followed import Followed, marks_for, note_written
from streams.kernels.compiled import compiled

PIECE = 4_096
"""Transfers linked at once: the ring holds that many more than it promises, so that none of a piece is overwritten by
another of it."""
STEPS_PER_FOUND = 4
"""Nodes looked at for each transfer wanted: of a late transfer's account some may lie outside the window."""
NONE = -1


class Trail:
    """The last transfers of each account, at most `kept` transfers back. One thread at a time."""

    __slots__ = ("_before", "_copied", "_ids", "_kept", "_newest", "_seen", "_time_ns")

    def __init__(self, accounts: int, kept: int) -> None:
        """A trail of `accounts` accounts (numbered from 0) that has seen no transfer."""
        room = kept + PIECE
        self._kept = kept
        self._seen = 0
        self._newest = np.full(accounts, NONE, np.int64)
        self._before = np.full((room, 2), NONE, np.int64)
        self._time_ns = np.zeros(room, np.int64)
        self._ids = np.zeros(room, "S16")
        self._copied = marks_for(room)

    @property
    def seen(self) -> int:
        """Transfers taken in so far: the number of the next one."""
        return self._seen

    def add(self, event_ids: Sequence[str], time_ns: NDArray[np.int64], account: NDArray[np.int32]) -> int:
        """Take in at most `PIECE` transfers, in their order; returns the number of the first.

        `time_ns` int64 [n]; `account` int32 [2n], sender's and receiver's by turns, -1 where it is not known.
        """
        if len(event_ids) > PIECE:
            raise ValueError(f"{len(event_ids)} transfers are more than {PIECE} at once")
        first, count, room = self._seen, len(event_ids), len(self._time_ns)
        ids = np.array([event_id.encode() for event_id in event_ids], np.bytes_)
        if ids.dtype.itemsize > self._ids.dtype.itemsize:
            self._ids = self._ids.astype(ids.dtype)
            self._copied = marks_for(room)
        place = first % room
        fits = min(count, room - place)  # the others go to the ring's begin
        self._ids[place : place + fits], self._ids[: count - fits] = ids[:fits], ids[fits:]
        self._time_ns[place : place + fits], self._time_ns[: count - fits] = time_ns[:fits], time_ns[fits:]
        _link(first, account, self._before, self._newest)
        note_written(self._copied, place, place + fits)
        note_written(self._copied, 0, count - fits)
        self._seen += count
        return first

    def last(self, transfer: int, side: int, since_ns: int, most: int) -> list[str]:
        """Event ids of an account's transfers from `since_ns` up to one of its own (by number; side 0: it sends, 1: it
        receives), the oldest first, at most `most`; none twice."""
        found = np.empty(most, np.int64)
        room = len(self._time_ns)
        until_ns = int(self._time_ns[transfer % room])
        count = _walk(
            2 * transfer + side, transfer - self._kept, since_ns, until_ns, self._before, self._time_ns, found
        )
        return [self._ids[number % room].decode() for number in found[:count][::-1].tolist()]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The whole state by name, that of the trail itself: copy what is to last."""
        return {
            "trail_counts": np.array([self._kept, self._seen], np.int64),
            "trail_newest": self._newest,
            **self._ring(),
        }

    def followed(self) -> Followed:
        """Those arrays that are marked where they are written to, for the one that keeps a copy."""
        return Followed(self._ring(), self._copied)

    def _ring(self) -> dict[str, NDArray[Any]]:
        letters = self._ids.view(np.uint8).reshape(len(self._ids), -1)
        return {"trail_before": self._before, "trail_time_ns": self._time_ns, "trail_ids": letters}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Trail":
        """The trail that `arrays` gave, going on exactly as it would have; the arrays become its own."""
        made = cls.__new__(cls)
        made._kept, made._seen = (int(count) for count in arrays["trail_counts"])
        made._newest, made._before = arrays["trail_newest"], arrays["trail_before"]
        made._time_ns = arrays["trail_time_ns"]
        letters = np.ascontiguousarray(arrays["trail_ids"])
        made._ids = letters.view(f"S{letters.shape[1]}").reshape(-1)
        made._copied = marks_for(len(letters))
        return made

    LAYOUT: Mapping[str, tuple[Any, tuple[int | None, ...]]] = {
        "trail_counts": (np.int64, (2,)),
        "trail_newest": (np.int64, (None,)),
        "trail_before": (np.int64, (None, 2)),
        "trail_time_ns": (np.int64, (None,)),
        "trail_ids": (np.uint8, (None, None)),
    }
    """Type and shape of what `arrays` gives."""


@compiled
def _link(first: int, account: Any, before: Any, newest: Any) -> None:
    for node in range(account.shape[0]):
        place = (first + node // 2) % before.shape[0]
        before[place, node % 2] = NONE
        if account[node] >= 0:
            before[place, node % 2] = newest[account[node]]
            newest[account[node]] = 2 * first + node


@compiled
def _walk(node: int, oldest: int, since_ns: int, until_ns: int, before: Any, time_ns: Any, found: Any) -> int:
    """Fill `found` with transfers' numbers, the newest first; returns how many."""
    count = 0
    room = before.shape[0]
    for _ in range(STEPS_PER_FOUND * found.shape[0]):
        number = node // 2
        if node < 0 or number <= oldest or count == found.shape[0]:
            break
        is_new = count == 0 or found[count - 1] != number
        if is_new and since_ns <= time_ns[number % room] <= until_ns:
            found[count] = number
            count += 1
        node = before[number % room, node % 2]
    return count
