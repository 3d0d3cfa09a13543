"""At least once: an offset is committed only after every decision up to it has been acknowledged by the broker."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.errors import BrokerError

Position = tuple[str, int]
"""Topic and partition."""


@dataclass(slots=True)
class _Epoch:
    """What was taken and produced between two closings; complete when all of it is acknowledged: none of those whom
    messages were followed for is `outstanding`."""

    offsets: dict[Position, int] = field(default_factory=dict)
    outstanding: int = 0
    then: Callable[[], None] | None = None


class AcknowledgedOffsets:
    """Follows produced messages until they are acknowledged, and tells which offsets may be committed.

    Work is cut into epochs: `close_epoch` ends one, and its offsets become committable when its messages and those of
    all epochs before it are acknowledged.

    Messages may be produced, and their deliveries served, by several threads; the rest is for one. `reached` says for
    each topic and partition produced to which offset follows the last one acknowledged; of messages followed together
    not before all of them are.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = _Epoch()
        self._closed: deque[_Epoch] = deque()
        self._safe: dict[Position, int] = {}
        self.reached: dict[Position, int] = {}
        self._failure: str | None = None

    def took(self, position: Position, offset: int) -> None:
        """A message was taken, and all before it; its follower is the next offset to read."""
        self._open.offsets[position] = offset + 1

    def follow(self, count: int = 1, then: Callable[[], None] | None = None) -> Any:
        """A delivery callback for a message, or so many messages, that will be produced for what is taken in the open
        epoch, now or later. It must be called once for each; when all of them are acknowledged it calls `then`."""
        epoch, lock, last, arrived = self._open, self._lock, dict[int, Any](), itertools.count(1).__next__
        with lock:
            epoch.outstanding += 1

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                self._fail(str(error))
                return
            if message is not None:
                last[message.partition()] = message
            # Counted last, and without a lock: a counter's step is never interrupted, so each has a number of its own.
            # One too many must not count for others.
            if arrived() != count:
                return
            with lock:
                epoch.outstanding -= 1
                self._reach(last)
            if then is not None:
                then()

        return delivered

    def _fail(self, why: str) -> None:
        if self._failure is None:
            self._failure = why

    def _reach(self, last: Mapping[int, Any]) -> None:
        for partition, message in last.items():
            at, offset = (message.topic(), partition), message.offset() + 1
            if offset > self.reached.get(at, 0):  # another thread may have been faster with a later one
                self.reached[at] = offset

    def raise_failure(self) -> None:
        """Raise `BrokerError` when a message could not be delivered: its input must not be committed."""
        if self._failure is not None:
            raise BrokerError(f"the broker did not take a message: {self._failure}")

    def close_epoch(self, then: Callable[[], None] | None = None) -> None:
        """Begin a new epoch, if anything was taken in this one or `then` is to be called when all of it, and of those
        before, is acknowledged (see `serve`)."""
        if self._open.offsets or then is not None:
            self._open.then = then
            self._closed.append(self._open)
            self._open = _Epoch()

    def serve(self) -> None:
        """Look which epochs have become complete."""
        while self._closed and self._closed[0].outstanding == 0:
            epoch = self._closed.popleft()
            self._safe.update(epoch.offsets)
            if epoch.then is not None:
                epoch.then()

    def committable(self) -> dict[Position, int]:
        """Offsets that have become safe since the last call, the next to read by topic and partition."""
        self.serve()
        safe, self._safe = self._safe, {}
        return safe

    def abandon(self) -> None:
        """Forget all that was taken: nothing of it will be committed, and nobody waits for its messages any more."""
        self._open, self._safe = _Epoch(), {}
        self._closed.clear()

    def forget(self, positions: set[Position]) -> None:
        """Drop partitions that are no longer this worker's."""
        for offsets in (self._safe, *(epoch.offsets for epoch in (self._open, *self._closed))):
            for position in positions:
                offsets.pop(position, None)
