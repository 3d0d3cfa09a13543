"""A checkpoint's files: for each partition a chain of changes, each file whole, checked, and following on the last.

    DIR/<events topic>/<partition>/<epoch>/origin             who began this epoch, and on what it follows
                                          /<number>.changes   cards that changed since the number before
                                          /<number>.whole     all cards up to that number, in one file

Epochs: `scorer.checkpoint.epochs`. A file that is damaged or missing ends the chain before it: what is older is used.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from models.features.snapshot import Layout, Snapshot, SnapshotError, read_snapshot, write_snapshot
from scorer.checkpoint.changes import ARRAYS, Changes, InconsistentError, merged
from scorer.checkpoint.epochs import SKIPPED, Epochs, Identity, Origin, Position, Progress

log = logging.getLogger("riskbench.scorer")

KIND = "checkpoint"
WHOLE, CHANGES = ".whole", ".changes"


class _Settings(msgspec.Struct, frozen=True):
    identity: Identity
    partition: int
    epoch: int
    number: int
    first: dict[str, int]
    answered: list[tuple[str, int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One file's content."""

    epoch: int
    number: int
    progress: Progress
    changes: Changes


class PartitionFiles:
    """The checkpoint of one partition on disk."""

    def __init__(
        self, directory: Path, identity: Identity, partition: int, refused: Callable[[], None] = lambda: None
    ) -> None:
        """`refused` is called for every file that cannot be used."""
        self.bytes_written = 0
        self._epochs = Epochs(directory, identity, partition, refused)

    def read(self) -> Part | None:
        """The newest state that can be read, in one part; None where there is none.

        What cannot be read is said in the log. Raises `BadInputError` for a checkpoint of something else.
        """
        for epoch in reversed(self._epochs.all()):
            parts, _ = self._chain(epoch, None)
            if parts:
                return self._merged(parts)
        return None

    def begin_epoch(self, follows: Part | None) -> int:
        """Begin an epoch that follows on a part as read; its number. Raises `BadInputError` if it cannot be made."""
        return self._epochs.begin(None if follows is None else (follows.epoch, follows.number))

    def write(self, part: Part) -> None:
        """Write the next part of its epoch. Raises `OSError`."""
        self._write(part, CHANGES)

    def write_whole(self, epoch: int, number: int) -> int | None:
        """Put all parts up to `number` into one file, and remove what is older than the whole before it.

        Returns how many cards it holds; None, said in the log, when the parts cannot be read. Raises `OSError`.
        """
        parts, complete = self._chain(epoch, number)
        whole = self._merged(parts) if parts and complete else None
        if whole is None:
            log.error("checkpoint %s: its parts cannot be put together; it goes on without", self._epochs.folder(epoch))
            return None
        self._write(Part(epoch, number, whole.progress, whole.changes), WHOLE)
        self._remove_older(epoch, number)
        return len(whole.changes.numbers)

    def _merged(self, parts: Sequence[Part]) -> Part | None:
        last = parts[-1]
        try:
            return Part(last.epoch, last.number, last.progress, merged([part.changes for part in parts]))
        except InconsistentError as error:
            self._epochs.refuse(error)
            return self._merged(parts[:-1]) if len(parts) > 1 else None

    def _chain(self, epoch: int, upto: int | None) -> tuple[list[Part], bool]:
        """The parts of an epoch up to a number (None: the last there is) and of those it follows on; and whether they
        reach as far as asked for."""
        origin = self._epochs.origin(epoch)
        if origin is None:
            return [], False
        parts, number, complete = self._beginning(origin, upto)
        last = max(self._epochs.numbers(epoch, CHANGES), default=0) if upto is None else upto
        while complete and number < last:
            part = self._part(epoch, number + 1, CHANGES)
            if part is None:
                return parts, False
            parts.append(part)
            number += 1
        return parts, complete

    def _beginning(self, origin: Origin, upto: int | None) -> tuple[list[Part], int, bool]:
        """The newest whole of an epoch that can be read, or what it follows on; its number; whether that is all."""
        for number in sorted(self._epochs.numbers(origin.epoch, WHOLE), reverse=True):
            if upto is None or number <= upto:
                whole = self._part(origin.epoch, number, WHOLE)
                if whole is not None:
                    return [whole], number, True
        if origin.parent is None:
            return [], 0, True
        parts, complete = self._chain(*origin.parent)
        return parts, 0, complete

    def _part(self, epoch: int, number: int, form: str) -> Part | None:
        path = self._epochs.path(epoch, number, form)
        try:
            snapshot = read_snapshot(path, KIND, Layout(_Settings, ARRAYS), SKIPPED)
        except SnapshotError as error:
            self._epochs.refuse(error)
            return None
        settings = msgspec.convert(snapshot.settings, _Settings)
        self._epochs.check(path, settings.identity, settings.partition)
        return _part_of(snapshot, settings)

    def _write(self, part: Part, form: str) -> None:
        progress, identity = part.progress, self._epochs.identity
        answered = [(*position, offset) for position, offset in sorted(progress.answered.items())]
        settings = _Settings(
            identity, self._epochs.partition, part.epoch, part.number, dict(part.changes.first), answered
        )
        offsets = {identity.topic: progress.offset}
        path = self._epochs.path(part.epoch, part.number, form)
        write_snapshot(path, KIND, msgspec.to_builtins(settings), offsets, part.changes.arrays())
        self.bytes_written += path.stat().st_size

    def _remove_older(self, epoch: int, number: int) -> None:
        """Of the past, one whole before the newest is kept, with all that follows on it."""
        before = [whole for whole in self._epochs.numbers(epoch, WHOLE) if whole < number]
        if not before:
            return
        kept = max(before)
        for form in (WHOLE, CHANGES):
            for old in self._epochs.numbers(epoch, form):
                if old < kept or (old == kept and form == CHANGES):
                    self._epochs.path(epoch, old, form).unlink(missing_ok=True)
        self._epochs.remove_before(epoch)


def _part_of(snapshot: Snapshot, settings: _Settings) -> Part:
    answered: dict[Position, int] = {(topic, partition): offset for topic, partition, offset in settings.answered}
    progress = Progress(snapshot.offsets[settings.identity.topic], answered)
    arrays: dict[str, Any] = snapshot.arrays
    return Part(settings.epoch, settings.number, progress, Changes.of(arrays, settings.first))
