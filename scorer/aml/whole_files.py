"""A checkpoint of transfers on disk: the whole state in one file, the one before kept.

    DIR/<transfers topic>/0/<epoch>/origin           who began this epoch, and on what it follows
                                   /<number>.whole   graph, links and raised alerts at one offset

The graph is one: a transfer's features depend on accounts some steps away, so no part of it changes alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from models.features.snapshot import Layout, SnapshotError, read_snapshot, write_snapshot
from scorer.aml.state_files import STATE_LAYOUT, StateSettings
from scorer.checkpoint.epochs import SKIPPED, Epochs, Identity, Position, Progress

KIND = "checkpoint of transfers"
WHOLE = ".whole"
PARTITION = 0
"""Transfers have one order, and so one partition."""
KEPT = 2
"""Files that an epoch keeps: the newest, and the one before in case it is damaged."""


class _Settings(msgspec.Struct, frozen=True):
    identity: Identity
    epoch: int
    number: int
    answered: list[tuple[str, int, int]]
    state: StateSettings


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """One file's content: how far the stream had come, and the state as `snapshot_of` gives it."""

    epoch: int
    number: int
    progress: Progress
    settings: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


class WholeFiles:
    """The checkpoints of a topic of transfers on disk."""

    def __init__(self, directory: Path, identity: Identity, refused: Callable[[], None] = lambda: None) -> None:
        """`refused` is called for every file that cannot be used."""
        self.bytes_written = 0
        self._epochs = Epochs(directory, identity, PARTITION, refused)

    def read(self) -> Whole | None:
        """The newest state that can be read; None where there is none.

        What cannot be read is said in the log. Raises `BadInputError` for a checkpoint of something else.
        """
        for epoch in reversed(self._epochs.all()):
            found = self._newest(epoch, None)
            if found is not None:
                return found
        return None

    def begin_epoch(self, follows: Whole | None) -> int:
        """Begin an epoch that follows on a file as read; its number. Raises `BadInputError` if it cannot be made."""
        return self._epochs.begin(None if follows is None else (follows.epoch, follows.number))

    def write(self, whole: Whole, rest: Callable[[], object] = lambda: None) -> None:
        """Write the next file of its epoch, and remove what is older than the one before it; `rest` as for
        `write_snapshot`. Raises `OSError`."""
        identity = self._epochs.identity
        answered = [(*position, offset) for position, offset in sorted(whole.progress.answered.items())]
        state = msgspec.convert(whole.settings, StateSettings)
        settings = msgspec.to_builtins(_Settings(identity, whole.epoch, whole.number, answered, state))
        path = self._epochs.path(whole.epoch, whole.number, WHOLE)
        write_snapshot(path, KIND, settings, {identity.topic: whole.progress.offset}, whole.arrays, rest)
        self.bytes_written += path.stat().st_size
        numbers = sorted(self._epochs.numbers(whole.epoch, WHOLE))
        for old in numbers[:-KEPT]:
            self._epochs.path(whole.epoch, old, WHOLE).unlink(missing_ok=True)
        if len(numbers) >= KEPT:
            self._epochs.remove_before(whole.epoch)

    def _newest(self, epoch: int, upto: int | None) -> Whole | None:
        origin = self._epochs.origin(epoch)
        if origin is None:
            return None
        for number in sorted(self._epochs.numbers(epoch, WHOLE), reverse=True):
            found = self._read(epoch, number) if upto is None or number <= upto else None
            if found is not None:
                return found
        return None if origin.parent is None else self._newest(*origin.parent)

    def _read(self, epoch: int, number: int) -> Whole | None:
        path = self._epochs.path(epoch, number, WHOLE)
        try:
            snapshot = read_snapshot(path, KIND, Layout(_Settings, STATE_LAYOUT.arrays), SKIPPED)
        except SnapshotError as error:
            self._epochs.refuse(error)
            return None
        settings = msgspec.convert(snapshot.settings, _Settings)
        self._epochs.check(path, settings.identity, PARTITION)
        answered: dict[Position, int] = {(topic, partition): offset for topic, partition, offset in settings.answered}
        progress = Progress(snapshot.offsets[settings.identity.topic], answered)
        return Whole(epoch, number, progress, msgspec.to_builtins(settings.state), snapshot.arrays)
