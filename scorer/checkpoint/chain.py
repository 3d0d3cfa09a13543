"""A checkpoint's files: for each partition a chain of changes, each file whole, checked, and following on the last.

    DIR/<events topic>/<partition>/<epoch>/origin             who began this epoch, and on what it follows
                                          /<number>.changes   cards that changed since the number before
                                          /<number>.whole     all cards up to that number, in one file

Whoever takes a partition over begins a new epoch: the folder is made by one process only, and its origin names the last
number of the epoch before that counts. So a worker that lost a partition without knowing it writes on in its own epoch,
where nobody looks. A file that is damaged or missing ends the chain before it: what is older is used.
"""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from models.features.snapshot import Layout, Snapshot, SnapshotError, read_snapshot, write_snapshot
from scorer.checkpoint.changes import ARRAYS, Changes, InconsistentError, merged
from streams.errors import BadInputError

log = logging.getLogger("riskbench.scorer")

KIND, ORIGIN_KIND = "checkpoint", "checkpoint origin"
ORIGIN = "origin"
WHOLE, CHANGES = ".whole", ".changes"
SKIPPED = "What is older is used."

Position = tuple[str, int]
"""Topic and partition."""


class Identity(msgspec.Struct, frozen=True):
    """What a checkpoint belongs to: none of it may differ when it is used."""

    topic: str
    group: str
    model_version: str
    features: str
    warm_state: str


class _Origin(msgspec.Struct, frozen=True):
    identity: Identity
    partition: int
    epoch: int
    parent: tuple[int, int] | None


class _Settings(msgspec.Struct, frozen=True):
    identity: Identity
    partition: int
    epoch: int
    number: int
    first: dict[str, int]
    answered: list[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition has come: the `offset` of the next event, and the places of the answers' topics from which on
    everything stands that was or will be said to events from there on."""

    offset: int
    answered: Mapping[Position, int]


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
        self._refused = refused
        self.bytes_written = 0
        self._folder = directory / identity.topic / str(partition)
        self._identity = identity
        self._partition = partition

    def read(self) -> Part | None:
        """The newest state that can be read, in one part; None where there is none.

        What cannot be read is said in the log. Raises `BadInputError` for a checkpoint of something else.
        """
        for epoch in reversed(self._epochs()):
            parts, _ = self._chain(epoch, None)
            if parts:
                return self._merged(parts)
        return None

    def begin_epoch(self, follows: Part | None) -> int:
        """Begin an epoch that follows on a part as read; its number. Raises `BadInputError` if it cannot be made."""
        epoch = max(self._epochs(), default=0)
        while True:
            epoch += 1
            try:
                self._epoch(epoch).mkdir(parents=True)
                break
            except FileExistsError:  # somebody else was faster
                continue
            except OSError as error:
                raise BadInputError(f"checkpoint {self._epoch(epoch)} cannot be made: {error.strerror}") from error
        parent = None if follows is None else (follows.epoch, follows.number)
        origin = msgspec.to_builtins(_Origin(self._identity, self._partition, epoch, parent))
        write_snapshot(self._epoch(epoch) / ORIGIN, ORIGIN_KIND, origin, {}, {})
        return epoch

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
            log.error("checkpoint %s: its parts cannot be put together; it goes on without", self._epoch(epoch))
            return None
        self._write(Part(epoch, number, whole.progress, whole.changes), WHOLE)
        self._remove_older(epoch, number)
        return len(whole.changes.numbers)

    def _merged(self, parts: Sequence[Part]) -> Part | None:
        last = parts[-1]
        try:
            return Part(last.epoch, last.number, last.progress, merged([part.changes for part in parts]))
        except InconsistentError as error:
            log.error("checkpoint %s is refused: %s", self._folder, error)
            self._refused()
            return self._merged(parts[:-1]) if len(parts) > 1 else None

    def _chain(self, epoch: int, upto: int | None) -> tuple[list[Part], bool]:
        """The parts of an epoch up to a number (None: the last there is) and of those it follows on; and whether they
        reach as far as asked for."""
        origin = self._origin(epoch)
        if origin is None:
            return [], False
        parts, number, complete = self._beginning(origin, upto)
        last = max(self._numbers(epoch, CHANGES), default=0) if upto is None else upto
        while complete and number < last:
            part = self._part(epoch, number + 1, CHANGES)
            if part is None:
                return parts, False
            parts.append(part)
            number += 1
        return parts, complete

    def _beginning(self, origin: _Origin, upto: int | None) -> tuple[list[Part], int, bool]:
        """The newest whole of an epoch that can be read, or what it follows on; its number; whether that is all."""
        for number in sorted(self._numbers(origin.epoch, WHOLE), reverse=True):
            if upto is None or number <= upto:
                whole = self._part(origin.epoch, number, WHOLE)
                if whole is not None:
                    return [whole], number, True
        if origin.parent is None:
            return [], 0, True
        parts, complete = self._chain(*origin.parent)
        return parts, 0, complete

    def _origin(self, epoch: int) -> _Origin | None:
        path = self._epoch(epoch) / ORIGIN
        try:
            snapshot = read_snapshot(path, ORIGIN_KIND, Layout(_Origin, {}), SKIPPED)
        except SnapshotError as error:
            log.error("checkpoint refused: %s", error)
            self._refused()
            return None
        origin = msgspec.convert(snapshot.settings, _Origin)
        self._check(path, origin.identity, origin.partition)
        return origin

    def _part(self, epoch: int, number: int, form: str) -> Part | None:
        path = self._path(epoch, number, form)
        try:
            snapshot = read_snapshot(path, KIND, Layout(_Settings, ARRAYS), SKIPPED)
        except SnapshotError as error:
            log.error("checkpoint refused: %s", error)
            self._refused()
            return None
        settings = msgspec.convert(snapshot.settings, _Settings)
        self._check(path, settings.identity, settings.partition)
        return _part_of(snapshot, settings)

    def _check(self, path: Path, found: Identity, partition: int) -> None:
        differ = [name for name in Identity.__struct_fields__ if getattr(found, name) != getattr(self._identity, name)]
        if differ or partition != self._partition:
            told = ", ".join(
                f"{name} {getattr(found, name)!r}, not {getattr(self._identity, name)!r}" for name in differ
            )
            raise BadInputError(
                f"checkpoint {path} belongs to something else ({told or f'partition {partition}'}); "
                "start with another --checkpoint-dir, or remove this one to begin anew"
            )

    def _write(self, part: Part, form: str) -> None:
        progress = part.progress
        answered = [(*position, offset) for position, offset in sorted(progress.answered.items())]
        settings = _Settings(
            self._identity, self._partition, part.epoch, part.number, dict(part.changes.first), answered
        )
        offsets = {self._identity.topic: progress.offset}
        path = self._path(part.epoch, part.number, form)
        write_snapshot(path, KIND, msgspec.to_builtins(settings), offsets, part.changes.arrays())
        self.bytes_written += path.stat().st_size

    def _remove_older(self, epoch: int, number: int) -> None:
        """Of the past, one whole before the newest is kept, with all that follows on it."""
        before = [whole for whole in self._numbers(epoch, WHOLE) if whole < number]
        if not before:
            return
        kept = max(before)
        for form in (WHOLE, CHANGES):
            for old in self._numbers(epoch, form):
                if old < kept or (old == kept and form == CHANGES):
                    self._path(epoch, old, form).unlink(missing_ok=True)
        for old in self._epochs():
            if old < epoch:
                shutil.rmtree(self._epoch(old), ignore_errors=True)

    def _epochs(self) -> list[int]:
        try:
            return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdigit())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BadInputError(f"checkpoint {self._folder} cannot be read: {error.strerror}") from error

    def _numbers(self, epoch: int, form: str) -> list[int]:
        return [int(path.stem) for path in self._epoch(epoch).glob(f"*{form}") if path.stem.isdigit()]

    def _epoch(self, epoch: int) -> Path:
        return self._folder / f"{epoch:06d}"

    def _path(self, epoch: int, number: int, form: str) -> Path:
        return self._epoch(epoch) / f"{number:08d}{form}"


def _part_of(snapshot: Snapshot, settings: _Settings) -> Part:
    answered: dict[Position, int] = {(topic, partition): offset for topic, partition, offset in settings.answered}
    progress = Progress(snapshot.offsets[settings.identity.topic], answered)
    arrays: dict[str, Any] = snapshot.arrays
    return Part(settings.epoch, settings.number, progress, Changes.of(arrays, settings.first))
