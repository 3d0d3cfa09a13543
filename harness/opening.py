"""What is kept of a run beside its decisions, and the audit trail's first words: with what this run decides."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.audit_trail.records import AUDIT_FILE, Opening, Thresholds, file_hash
from harness.case import CASE, PREPARED
from harness.collector import RecordsPlan
from harness.explanations import EXPLANATIONS_FILE, Asked
from harness.late_scores import LOGS
from harness.scorers import ScorerSetup


def utc(moment: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _software_version() -> str:
    try:
        return version("riskbench")
    except PackageNotFoundError:
        return "not installed"


def _case_hashes(case: Path) -> dict[str, str]:
    """Of the files that feed the features: the warm state, what became known during the run, and the history."""
    files = sorted([*case.glob("state/**/*"), *case.glob("dispositions.parquet"), *case.glob(f"{PREPARED}/**/*")])
    return {file.relative_to(case).as_posix(): file_hash(file) for file in files if file.is_file()}


def plan_records(
    run: Path, setup: ScorerSetup, bundle: Mapping[str, Any] | None, explain: Asked, started_at: datetime
) -> RecordsPlan:
    """The records of the run in the folder `run`, whose scenario.yaml and case are written; `bundle` is bundle.json,
    None for a scorer that is not ours, which is asked for no explanations."""
    ours = setup.ours
    thresholds = bundle.get("thresholds") if bundle else None
    opening = Opening(
        run=run.name,
        started_at=utc(started_at),
        software_version=_software_version(),
        scenario=file_hash(run / "scenario.yaml"),
        bundle=file_hash(setup.bundle / "bundle.json") if ours else None,
        rules=file_hash(setup.rules) if ours and setup.rules is not None else None,
        case=_case_hashes(run / CASE),
    )
    return RecordsPlan(
        audit=str(run / AUDIT_FILE),
        opening=opening,
        thresholds=Thresholds(review=thresholds["review"], block=thresholds["block"]) if thresholds else None,
        explanations=str(run / EXPLANATIONS_FILE),
        asked=explain if ours else "none",
        logs=str(run / LOGS),
    )
