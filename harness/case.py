"""What decided, kept with the run: bundle, rules, warm state and dispositions, so that the run folder alone can compute
every decision again; and what else was prepared for it, so that it can be run again."""

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from harness.prepared import Prepared
from harness.scorers import ScorerSetup
from streams.errors import BadInputError

CASE = "case"
PREPARED = "prepared"
"""In the case: history, and what is known about it."""
KEPT_ELSEWHERE = ("events.parquet", "labels.parquet", "profiles.parquet", "dispositions.parquet")
"""Files of a prepared folder that have places of their own in a run folder or its case."""


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link costs nothing; across file systems, or where links are not allowed, it has to be a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def link_folder(source: Path, target: Path, but: Collection[str] = ()) -> None:
    """Link or copy every file of a folder, whatever lies deeper in it too, but for the names in `but`."""
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(path for path in source.rglob("*") if path.is_file() and path.name not in but):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(file, place)


def write_case(run: Path, setup: ScorerSetup, prepared: Prepared) -> Path | None:
    """Write RUN/case before the stream begins; None for a scorer that is not ours, of which nothing is known.

    State and history are linked to the cache's files, which are never written again once they are there; bundle and
    rules, which a person may train or edit in place, are copied.
    """
    if not setup.ours or setup.rules is None or setup.state is None:
        return None
    case = run / CASE
    try:
        case.mkdir()
        shutil.copytree(setup.bundle, case / "bundle")
        if setup.rules.is_dir():
            shutil.copytree(setup.rules, case / "rules")
        else:
            shutil.copyfile(setup.rules, case / "rules.yaml")
        shutil.copyfile(prepared.file("dispositions"), case / "dispositions.parquet")
        link_folder(setup.state, case / "state")
        link_folder(prepared.folder, case / PREPARED, but=KEPT_ELSEWHERE)
    except OSError as error:
        raise BadInputError(f"{case}: cannot be written: {error.strerror or error}") from error
    return case
