"""Decisions computed again from a run folder alone, by the room that decided, and held against what was recorded."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.case import CASE
from harness.explanations import EXPLANATIONS_FILE
from harness.processes import Family, module_command
from harness.runfolder import MARKER
from harness.training import Say, Workshop, run_step
from streams.decision import CustomerScore
from streams.errors import BadInputError, RunInvalidError

RECOMPUTE_S = 3_600.0
SHARE_TOLERANCE = 1e-5
"""Contributions are sums of 32-bit floats over the trees: to this they agree whatever rows are computed together."""
CLOSEST = 3


class FeatureValue(msgspec.Struct, frozen=True):
    """A feature; `value` is None where it is not known."""

    value: float | None
    text: str


class RuleFired(msgspec.Struct, frozen=True):
    """A rule that fired; `deciding`: its outcome is the decision's."""

    code: str
    text: str
    outcome: str
    deciding: bool


class Contribution(msgspec.Struct, frozen=True):
    """A feature's share of the margin (log-odds)."""

    feature: str
    value: float | None
    text: str
    contribution: float
    cause: str | None = None


class Recorded(msgspec.Struct, frozen=True):
    """What the run recorded of the decision."""

    score: float
    outcome: str
    path: str
    margin: float | None = None
    rules_version: str | None = None
    model_version: str | None = None


class Recomputed(msgspec.Struct, frozen=True, kw_only=True):
    """One decision computed again. `equal`: score, outcome and path are the recorded ones, bit for bit, of transfers
    the scores of its `customers` too; `features_equal`: so are the bytes of the features (None: not recorded).
    `contributions` are all, the largest first; none where they were not asked for or the model did not decide."""

    event_id: str
    features: dict[str, FeatureValue]
    features_equal: bool | None
    rules: list[RuleFired]
    score: float
    outcome: str
    path: str
    margin: float | None
    recorded: Recorded
    equal: bool
    contributions: list[Contribution]
    base: float | None
    versions: dict[str, str | None]
    thresholds: dict[str, float] | None
    customers: list[CustomerScore] = []


@dataclass(frozen=True, slots=True)
class Shares:
    """Recorded explanations against recomputed contributions: how many were compared, how many agree (to
    `SHARE_TOLERANCE`), and the largest difference (log-odds)."""

    compared: int
    agree: int
    largest_difference: float


def check_case(run: Path) -> None:
    """Raise BadInputError when decisions of this run cannot be computed again, and say why."""
    if (run / MARKER).is_file() or not (run / "results.json").is_file():
        raise BadInputError(f"{run}: not a finished run")
    if not (run / CASE).is_dir():
        raise BadInputError(
            f"{run / CASE}: not there: the run was of a scorer that is not ours, or was made before runs kept what "
            "decided"
        )


def read_rows(file: Path, chosen: pc.Expression, columns: list[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a run's Parquet file that are chosen. Raises BadInputError when it cannot be read."""
    try:
        rows: list[dict[str, Any]] = pq.read_table(file, columns=columns, filters=chosen).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(f"{file}: cannot be read as Parquet: {error}") from error
    return rows


def find_decision(run: Path, event_id: str) -> dict[str, Any]:
    """The event's row of decisions.parquet. Raises BadInputError for an id that is not there (with the closest ones),
    and for an event that was never decided."""
    found = read_rows(run / "decisions.parquet", pc.field("event_id") == event_id)
    if not found:
        close = ", ".join(closest_ids(run / "decisions.parquet", event_id))
        raise BadInputError(
            f"{event_id}: no such event in {run}; the closest ids are {close}. Ids are in its decisions.parquet, those "
            "of flagged events in its report too"
        )
    if found[0]["status"] == "lost":
        raise BadInputError(f"{event_id}: was sent and never decided: there is nothing to explain")
    return found[0]


def closest_ids(file: Path, event_id: str) -> list[str]:
    """The ids that differ from `event_id` in the fewest letters."""
    import duckdb  # noqa: PLC0415 - slow to import

    query = "SELECT event_id FROM read_parquet($file) ORDER BY levenshtein(event_id, $wanted), event_id LIMIT $many"
    with duckdb.connect() as connection:
        rows = connection.execute(query, {"file": str(file), "wanted": event_id, "many": CLOSEST}).fetchall()
    return [str(row[0]) for row in rows]


def recompute(run: Path, chosen: list[str], say: Say) -> list[Recomputed]:
    """Compute decisions again from the run's case; `chosen` are the options that say which.

    Raises BadInputError for what cannot be used, RunInvalidError when the process fails.
    """
    with tempfile.TemporaryDirectory(prefix="riskbench-explain-") as folder, Family() as family:
        out = Path(folder) / "recomputed.json"
        command = module_command(
            "scorer", "recompute",
            "--case", str(run / CASE),
            "--events", str(run / "events.parquet"),
            "--decisions", str(run / "decisions.parquet"),
            *chosen,
            "--out", str(out),
        )  # fmt: skip
        shop = Workshop(Path(folder), Path(folder), family, say)
        family.stop(run_step(shop, "recomputing", command, RECOMPUTE_S))
        return read_recomputed(out)


def read_recomputed(file: Path) -> list[Recomputed]:
    """What `python -m scorer recompute` wrote."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Recomputed])
    except (OSError, msgspec.DecodeError) as error:
        raise RunInvalidError(f"what was computed again cannot be read: {error}") from error


def recorded_shares(run: Path, event_ids: Iterable[str]) -> dict[str, dict[str, float]]:
    """Of each event that was explained: the recorded contributions by feature, from the decision or what followed."""
    wanted = pa.array(list(event_ids), pa.string())
    found: dict[str, dict[str, float]] = {}
    for name in ("decisions.parquet", EXPLANATIONS_FILE):
        if not (run / name).is_file():
            continue
        for row in read_rows(run / name, pc.field("event_id").isin(wanted), ["event_id", "reasons"]):
            shares = {r["code"]: r["contribution"] for r in row["reasons"] or () if r["contribution"] is not None}
            if shares:
                found[row["event_id"]] = shares
    return found


def compare_shares(found: list[Recomputed], recorded: dict[str, dict[str, float]]) -> Shares:
    """Hold recorded explanations against the contributions computed again."""
    differences = [
        max(abs(share - again.get(feature, 0.0)) for feature, share in recorded[one.event_id].items())
        for one in found
        if one.event_id in recorded and one.contributions
        for again in [{each.feature: each.contribution for each in one.contributions}]
    ]
    agree = sum(difference <= SHARE_TOLERANCE for difference in differences)
    return Shares(len(differences), agree, max(differences, default=0.0))
