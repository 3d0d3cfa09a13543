"""The decisions that a run recorded, and the files it kept to make them again."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.bundle import Bundle
from streams.errors import BadInputError

CUSTOMERS = "customers"
COLUMNS = ("event_id", "outcome", "score", "path", "margin", "rules_version", "model_version", "features")
ID_HINTS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A run's case folder: what decided."""

    folder: Path

    @property
    def bundle(self) -> Path:
        """The model bundle."""
        return self.folder / "bundle"

    @property
    def rules(self) -> Path:
        """The rule pack; of transfers a folder, a file a typology."""
        return self.folder / ("rules" if self.of_transfers else "rules.yaml")

    @property
    def of_transfers(self) -> bool:
        """Whether transfers were decided, not card transactions."""
        return (self.folder / "rules").is_dir()

    @property
    def state(self) -> Path | None:
        """The warm state, if there was one."""
        return self.folder / "state" if (self.folder / "state").is_dir() else None

    @property
    def dispositions(self) -> Path | None:
        """What became known during the run, if anything did."""
        return self.folder / "dispositions.parquet" if (self.folder / "dispositions.parquet").is_file() else None

    def check(self) -> None:
        """Raise `BadInputError` when it is not there or lacks what it must hold."""
        if not self.folder.is_dir():
            raise BadInputError(
                f"--case {self.folder} is not there: only a run of this scorer keeps what decided; the decisions of a "
                "scorer of your own cannot be computed again here"
            )
        lacking = [path.name for path in (self.bundle, self.rules) if not path.exists()]
        if lacking:
            raise BadInputError(f"--case {self.folder} lacks {' and '.join(lacking)}: it is no case of a finished run")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which decisions: one event, a seeded sample of so many, or (neither) all."""

    event: str | None = None
    sample: int | None = None
    seed: int = 0


def read_recorded(path: Path, choice: Choice, columns: Sequence[str] = COLUMNS) -> pa.Table:
    """The chosen rows of decisions.parquet that hold a decision, with `columns`.

    Raises `BadInputError` when the file cannot be used, or holds no decision of the event asked for.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"--decisions {path} cannot be read as Parquet: {error}") from error
    lacking = [name for name in columns if name not in table.column_names]
    if lacking:
        raise BadInputError(f"--decisions {path} lacks column {', '.join(lacking)}")
    table = table.select(columns)
    decided = table.filter(pc.is_valid(table["outcome"]))
    if choice.event is not None:
        return _one(path, table, decided, choice.event)
    if choice.sample is not None and choice.sample < len(decided):
        rows = np.random.default_rng(choice.seed).choice(len(decided), choice.sample, replace=False)
        return decided.take(np.sort(rows))
    return decided


def _one(path: Path, table: pa.Table, decided: pa.Table, event_id: str) -> pa.Table:
    found = decided.filter(pc.equal(decided["event_id"], event_id))
    if len(found):
        return found.slice(0, 1)
    ids: list[str] = table["event_id"].to_pylist()
    if event_id in ids:
        raise BadInputError(f"--event {event_id} was sent and never decided: there is nothing to compute again")
    close = difflib.get_close_matches(event_id, ids[:100_000], ID_HINTS, cutoff=0.0)
    raise BadInputError(f"--event {event_id} is not in {path}; the closest ids there: {', '.join(close)}")


def check_versions(recorded: pa.Table, case: Case, bundle: Bundle, rules_version: str) -> None:
    """Raise `BadInputError` unless these files are the ones the decisions name."""
    for column, found, what in (
        ("model_version", bundle.model_version, f"bundle {bundle.directory}"),
        ("rules_version", rules_version, case.rules.name),
    ):
        named: list[Any] = pc.unique(recorded[column].cast(pa.string())).to_pylist()
        if None in named:
            raise BadInputError(
                f"decisions without {column}: they were made by a scorer of your own, which alone can make them again"
            )
        others = [version for version in named if version != found]
        if others:
            raise BadInputError(
                f"{what} of the case is version {found}; the decisions were made by {', '.join(map(str, others))}: "
                "the file was changed after the run"
            )
