"""The run folder: marked as incomplete from its first moment until its last file is written."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from streams.errors import BadInputError

MARKER = "INCOMPLETE"


def _write_safely(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`runs/<time>-<scenario>/`. While `INCOMPLETE` is in it, what it holds is not to be trusted."""

    path: Path

    @classmethod
    def create(cls, out: Path, scenario: str, now: datetime) -> "RunFolder":
        """A new marked folder under `out`, for its owner alone: it holds events and decisions.

        Raises BadInputError when `out` cannot be written.
        """
        stem = f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{scenario}"
        try:
            out.mkdir(parents=True, exist_ok=True)
            for attempt in range(1000):
                path = out / (stem if attempt == 0 else f"{stem}-{attempt + 1}")
                try:
                    path.mkdir(mode=0o700)
                except FileExistsError:
                    continue
                folder = cls(path.resolve())
                (path / MARKER).write_text("the run is under way, or was killed\n", encoding="utf-8")
                (path / "logs").mkdir()
                folder.work.mkdir()
                return folder
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadInputError(f"--out {out}: a run folder cannot be made there: {reason}") from error
        raise BadInputError(f"--out {out}: too many runs of {stem}")

    @property
    def work(self) -> Path:
        """Files needed only while the run is under way."""
        return self.path / ".work"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.path / "logs" / f"{name}.log"

    def write(self, name: str, text: str) -> Path:
        """Write a file whole or not at all."""
        path = self.path / name
        _write_safely(path, text)
        return path

    def mark(self, reason: str) -> None:
        """Say why the folder is incomplete."""
        self.write(MARKER, reason + "\n")

    def clear_work(self) -> None:
        """Remove the working files."""
        shutil.rmtree(self.work, ignore_errors=True)

    def complete(self) -> None:
        """The very last step: everything is on disk, the marker goes."""
        self.clear_work()
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        (self.path / MARKER).unlink()


def is_complete(path: Path) -> bool:
    """Whether a run folder holds a finished run."""
    return (path / "results.json").is_file() and not (path / MARKER).exists()


Now = Callable[[], datetime]
