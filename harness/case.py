"""What decided, kept with the run: bundle, rules, warm state and dispositions, so that the run folder alone can compute
every decision again."""

import os
import shutil
from pathlib import Path

from harness.scorers import ScorerSetup
from streams.errors import BadInputError

CASE = "case"


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link costs nothing; across file systems, or where links are not allowed, it has to be a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write_case(run: Path, setup: ScorerSetup, dispositions: Path) -> Path | None:
    """Write RUN/case before the stream begins; None for a scorer that is not ours, of which nothing is known.

    The state is linked to the cache's files, which are never written again once they are there; bundle and rules, which
    a person may train or edit in place, are copied.
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
        shutil.copyfile(dispositions, case / "dispositions.parquet")
        (case / "state").mkdir()
        for file in sorted(path for path in setup.state.rglob("*") if path.is_file()):
            target = case / "state" / file.relative_to(setup.state)
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(file, target)
    except OSError as error:
        raise BadInputError(f"{case}: cannot be written: {error.strerror or error}") from error
    return case
