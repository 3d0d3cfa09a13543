"""Epochs of a checkpoint: who keeps a partition, what its checkpoint belongs to, and how far it has come.

    DIR/<events topic>/<partition>/<epoch>/origin    who began this epoch, and on what it follows

Whoever takes a partition over begins a new epoch: the folder is made by one process only, and its origin names the last
number of the epoch before that counts. So a worker that lost a partition without knowing it writes on in its own epoch,
where nobody looks.
"""

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models.features.snapshot import Layout, SnapshotError, read_snapshot, write_snapshot
from streams.errors import BadInputError

log = logging.getLogger("riskbench.scorer")

ORIGIN_KIND = "checkpoint origin"
ORIGIN = "origin"
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


class Origin(msgspec.Struct, frozen=True):
    """Who began an epoch, and the epoch and number that it follows on (None: it began anew)."""

    identity: Identity
    partition: int
    epoch: int
    parent: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition has come: the `offset` of the next event, and the places of the answers' topics from which on
    everything stands that was or will be said to events from there on."""

    offset: int
    answered: Mapping[Position, int]


class Epochs:
    """The epochs of one partition on disk; what their files hold is for others to say."""

    def __init__(self, directory: Path, identity: Identity, partition: int, refused: Callable[[], None]) -> None:
        """`refused` is called for every file that cannot be used."""
        self.identity = identity
        self.partition = partition
        self._refused = refused
        self._folder = directory / identity.topic / str(partition)

    def begin(self, parent: tuple[int, int] | None) -> int:
        """Begin an epoch that follows on an epoch and number as read; its number. Raises `BadInputError` if it cannot
        be made."""
        epoch = max(self.all(), default=0)
        while True:
            epoch += 1
            try:
                self.folder(epoch).mkdir(parents=True)
                break
            except FileExistsError:  # somebody else was faster
                continue
            except OSError as error:
                raise BadInputError(f"checkpoint {self.folder(epoch)} cannot be made: {error.strerror}") from error
        origin = msgspec.to_builtins(Origin(self.identity, self.partition, epoch, parent))
        write_snapshot(self.folder(epoch) / ORIGIN, ORIGIN_KIND, origin, {}, {})
        return epoch

    def all(self) -> list[int]:
        """The epochs there are, ascending. Raises `BadInputError` when they cannot be read."""
        try:
            return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdigit())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BadInputError(f"checkpoint {self._folder} cannot be read: {error.strerror}") from error

    def origin(self, epoch: int) -> Origin | None:
        """Where an epoch began; None, said in the log, when that cannot be read. Raises `BadInputError` for a
        checkpoint of something else."""
        path = self.folder(epoch) / ORIGIN
        try:
            snapshot = read_snapshot(path, ORIGIN_KIND, Layout(Origin, {}), SKIPPED)
        except SnapshotError as error:
            self.refuse(error)
            return None
        origin = msgspec.convert(snapshot.settings, Origin)
        self.check(path, origin.identity, origin.partition)
        return origin

    def check(self, path: Path, found: Identity, partition: int) -> None:
        """Raise `BadInputError` when a file belongs to something else."""
        differ = [name for name in Identity.__struct_fields__ if getattr(found, name) != getattr(self.identity, name)]
        if differ or partition != self.partition:
            told = ", ".join(
                f"{name} {getattr(found, name)!r}, not {getattr(self.identity, name)!r}" for name in differ
            )
            raise BadInputError(
                f"checkpoint {path} belongs to something else ({told or f'partition {partition}'}); "
                "start with another --checkpoint-dir, or remove this one to begin anew"
            )

    def refuse(self, error: Exception) -> None:
        """Say, and count, that a file cannot be used."""
        log.error("checkpoint refused: %s", error)
        self._refused()

    def remove_before(self, epoch: int) -> None:
        """Remove all epochs before this one."""
        for old in self.all():
            if old < epoch:
                shutil.rmtree(self.folder(old), ignore_errors=True)

    def numbers(self, epoch: int, form: str) -> list[int]:
        """The numbers of an epoch's files of one form (".whole"), in any order."""
        return [int(path.stem) for path in self.folder(epoch).glob(f"*{form}") if path.stem.isdigit()]

    def folder(self, epoch: int) -> Path:
        """An epoch's folder."""
        return self._folder / f"{epoch:06d}"

    def path(self, epoch: int, number: int, form: str) -> Path:
        """One file of an epoch."""
        return self.folder(epoch) / f"{number:08d}{form}"
