"""The feature store, built, read and compared by the room that owns the kernel, as a process."""

import json
import tempfile
from pathlib import Path
from typing import Any

from harness.case import CASE
from harness.processes import Family, module_command
from harness.runfolder import is_complete
from streams.errors import BadInputError, RunInvalidError

EQUAL, DIFFERENT = 0, 1
LIMIT_S = 3_600.0


def run_features(*arguments: str) -> dict[str, Any]:
    """`python -m models features …`; returns what it found. Raises with the process's own words when it fails."""
    with tempfile.TemporaryDirectory(prefix="riskbench-features-") as folder, Family() as family:
        result = Path(folder) / "result.json"
        command = module_command("models", "features", *arguments, "--result", str(result))
        child = family.start("features", command, Path(folder) / "features.log")
        if child.wait(LIMIT_S) is None:
            raise RunInvalidError(f"features {arguments[0]} took longer than {LIMIT_S:g} s")
        if child.process.returncode not in (EQUAL, DIFFERENT) or not result.is_file():
            raise child.failure()
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return found


def build_store(out: Path, events: Path, labels: Path | None, *more: str) -> dict[str, Any]:
    """Build a store in `out`; returns its metadata."""
    of_labels = () if labels is None else ("--labels", str(labels))
    return run_features("build", "--events", str(events), *of_labels, "--out", str(out), *more)


def build_of_run(run: Path, out: Path) -> dict[str, Any]:
    """Build the store of a run's stream: from the state its scorer started from, with the frauds it was told of.

    Raises BadInputError for a run that is not finished or was not made by our scorer.
    """
    case = run / CASE
    if not is_complete(run):
        raise BadInputError(f"{run}: not a finished run")
    if not (case / "state").is_dir():
        raise BadInputError(f"{run}: has no {CASE}/state (another scorer's run?): its features cannot be built again")
    labels = run / "labels.parquet"
    more = ("--state", str(case / "state"), "--dispositions", str(case / "dispositions.parquet"))
    return build_store(out, run / "events.parquet", labels if labels.is_file() else None, *more)


def compare_run(run: Path, store: Path) -> dict[str, Any]:
    """Hold a store against the features that the run's decisions recorded."""
    return run_features("compare", str(store), "--decisions", str(run / "decisions.parquet"))
