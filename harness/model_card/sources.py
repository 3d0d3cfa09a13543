"""What a card is written from: a bundle's manifest and, where there is one, a run that measured it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.runfolder import MARKER, is_complete
from streams.errors import BadInputError

RUNS = Path("runs")
CASE_BUNDLE = Path("case") / "bundle"
MANIFEST_KEYS = ("model_version", "feature_names", "thresholds", "metrics", "train", "data_hash", "versions")


@dataclass(frozen=True, slots=True)
class CardSources:
    """`manifest` is bundle.json, `results` results.json (None: no run), `run` the run folder's name."""

    manifest: dict[str, Any]
    results: dict[str, Any] | None
    run: str | None


def read_sources(bundle: Path | None, run: Path | None, runs: Path = RUNS) -> CardSources:
    """Read a bundle, a run, or both; with neither the newest finished run below `runs`.

    Raises BadInputError for what is missing or damaged, for a run of a scorer that has no bundle, and for a run and a
    bundle of different models.
    """
    if bundle is None and run is None:
        run = newest_run(runs)
    results = None if run is None else _read_run(run)
    where = bundle if bundle is not None else (run or Path()) / CASE_BUNDLE
    if bundle is None and not where.is_dir():
        raise BadInputError(
            f"{run}: holds no bundle ({CASE_BUNDLE}); the run measured a scorer of its own, or was made by an older "
            "version: name the model's bundle with --bundle DIR"
        )
    manifest = _read_manifest(where)
    _same_model(manifest, results, run)
    return CardSources(manifest, results, run.resolve().name if run is not None else None)


def newest_run(runs: Path) -> Path:
    """The finished run with the last name: names begin with the time. Raises BadInputError when there is none."""
    found = sorted(path for path in runs.glob("*") if is_complete(path)) if runs.is_dir() else []
    if not found:
        raise BadInputError(f"no finished run below {runs}/: make one with bench run fraud, or give --bundle DIR")
    return found[-1]


def _read_run(run: Path) -> dict[str, Any]:
    if not is_complete(run):
        marked = (run / MARKER).is_file()
        raise BadInputError(f"--run {run}: not a finished run ({MARKER} is in it)" if marked else _no_run(run))
    return _read_object(run / "results.json", f"--run {run}")


def _no_run(run: Path) -> str:
    return f"--run {run}: {'no results.json in it' if run.is_dir() else 'no such folder'}"


def _read_manifest(bundle: Path) -> dict[str, Any]:
    if not bundle.is_dir():
        raise BadInputError(f"--bundle {bundle}: no such directory")
    manifest = _read_object(bundle / "bundle.json", f"bundle {bundle}")
    absent = [key for key in MANIFEST_KEYS if key not in manifest]
    if absent:
        raise BadInputError(f"bundle {bundle}: bundle.json lacks {', '.join(absent)}; is it a bundle of bench train?")
    return manifest


def _read_object(path: Path, what: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInputError(f"{what}: {path.name} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise BadInputError(f"{what}: {path.name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadInputError(f"{what}: {path.name} holds {type(found).__name__}, an object is expected")
    return found


def _same_model(manifest: dict[str, Any], results: dict[str, Any] | None, run: Path | None) -> None:
    used = ((results or {}).get("model") or {}).get("version")
    if used and used != manifest["model_version"]:
        raise BadInputError(f"{run} was decided by model {used}, the bundle is {manifest['model_version']}")
