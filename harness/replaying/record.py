"""replay.json: which run was run again, with what changed, and whether it decided the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.comparison import Comparison, Run, compare_runs
from harness.drift.retraining.keeping import kept_rollout
from harness.drift.retraining.recovery import Recovery, answers_of, recovery_of
from harness.replaying.decided import decisions_hash, read_decided
from harness.replaying.differences import DIFFERENCES_FILE, Differences, Flow, find_differences

REPLAY_FILE = "replay.json"
SCHEMA_VERSION = 1
DECIDING_CHANGES = ("bundle", "rules", "on_drift")
"""Whoever changes these asks for other decisions; nothing else may make any."""
SOFTWARE = ("revision", "packages")
FIGURES = ("quality", "response", "counts")


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two runs. `bundle` and `rules` are hashes; `fallback` and `lost` are events; `on_drift`: none, or
    retrain."""

    folder: str
    started_at: str
    verdict: str
    engine: str
    workers: int
    broker: str
    bundle: str
    rules: str
    model_version: str | None
    speed: float
    fallback: int
    lost: int
    decisions_hash: str
    on_drift: str = "none"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not the same in both runs."""

    name: str
    before: Any
    after: Any


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A replay's findings. `may_differ`: bundle or rules were changed; `holds`: the decisions are equal, or may differ.

    `schedule_deviation_ns` is how far an event's intended instant lay at most from the earlier run's (÷ speed).
    `different` of `events` were decided otherwise: by each part of a decision (`parts`), from which outcome to which
    (`outcomes`), all in differences.parquet, the foremost in `listed`. `software`: revisions and packages that changed.
    """

    schema_version: int = SCHEMA_VERSION
    before: Side
    after: Side
    changed: list[Change]
    software: list[Change]
    events: int
    events_hash: str
    schedule_deviation_ns: int
    equal: bool
    may_differ: bool
    holds: bool
    different: int
    parts: dict[str, int]
    outcomes: list[Flow]
    score_change_max: float | None
    figures: list[Change]
    differences: str = DIFFERENCES_FILE
    listed: list[dict[str, Any]] = []
    recovery: Recovery | None = None
    """With drift answered in the second run: what that was worth."""


@dataclass(frozen=True, slots=True)
class Played:
    """A run of a replay: its folder with results and environment, the hashes of what decided, and its speed."""

    run: Run
    bundle: str
    rules: str
    speed: float

    @property
    def decisions(self) -> Path:
        """Its decisions.parquet."""
        return self.run.folder / "decisions.parquet"


def hold_against(before: Played, after: Played, events_hash: str, listed: int) -> tuple[Replayed, Differences]:
    """Hold a replay against the run it repeats; at most `listed` differing events are in the record itself."""
    decided = [read_decided(played.decisions) for played in (before, after)]
    found = find_differences(decided[0], decided[1], before.run.folder)
    sides = [_side(played, decisions_hash(table)) for played, table in zip((before, after), decided, strict=True)]
    changed = _changed(*sides)
    equal = sides[0].decisions_hash == sides[1].decisions_hash
    may_differ = any(change.name in DECIDING_CHANGES for change in changed)
    compared = compare_runs(before.run, after.run)
    replayed = Replayed(
        before=sides[0],
        after=sides[1],
        changed=changed,
        software=[
            Change(name=one.key, before=one.a, after=one.b)
            for one in compared.subject
            if one.key.split(".")[0] in SOFTWARE
        ],
        events=found.compared,
        events_hash=events_hash,
        schedule_deviation_ns=schedule_deviation_ns(before.decisions, after.decisions, after.speed / before.speed),
        equal=equal,
        may_differ=may_differ,
        holds=equal or may_differ,
        different=len(found.rows),
        parts=found.by_part(),
        outcomes=found.flows(),
        score_change_max=found.score_change_max(),
        figures=_figures(compared),
        listed=found.foremost(listed),
        recovery=recovery_of(before.run.folder, after.run.folder, after.run.results, found.rows),
    )
    return replayed, found


def _side(played: Played, decided: str) -> Side:
    results = played.run.results
    counts: Mapping[str, Any] = results["counts"]
    return Side(
        folder=str(played.run.folder),
        started_at=results["started_at"],
        verdict=results["verdict"]["status"],
        engine=results["engine"],
        workers=results["workers"],
        broker=results["broker"]["name"],
        bundle=played.bundle,
        rules=played.rules,
        model_version=(results["model"] or {}).get("version"),
        speed=played.speed,
        fallback=counts["by_path"]["fallback"],
        lost=counts["lost"],
        decisions_hash=decided,
        on_drift="none" if answers_of(results) is None and kept_rollout(played.run.folder) is None else "retrain",
    )


def _changed(before: Side, after: Side) -> list[Change]:
    names = ("engine", "workers", "broker", "bundle", "rules", "speed", "on_drift")
    both = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return [Change(name=name, before=mine, after=theirs) for name, mine, theirs in both if mine != theirs]


def _figures(compared: Comparison) -> list[Change]:
    return [
        Change(name=f"{figure.group}.{figure.name}", before=figure.a, after=figure.b)
        for figure in compared.figures
        if figure.group in FIGURES and (figure.a, figure.b) != (None, None)
    ]


def schedule_deviation_ns(before: Path, after: Path, speed: float) -> int:
    """How far an event's intended instant lies at most from its earlier one ÷ `speed`, both from the first event's, in
    ns. 0 where the two share no event."""
    one, other = (_offsets(file) for file in (before, after))
    rows = pc.index_in(other["event_id"], value_set=one["event_id"])
    known = rows.is_valid()
    mine = np.asarray(one["offset"].take(rows.filter(known)).to_numpy(), np.float64) / speed
    theirs = np.asarray(other["offset"].filter(known).to_numpy(), np.float64)
    return round(float(np.abs(mine - theirs).max())) if len(theirs) else 0


def _offsets(file: Path) -> dict[str, pa.Array]:
    table = pq.read_table(file, columns=["event_id", "intended_ns"])
    intended = table["intended_ns"].combine_chunks()
    first = pc.min(intended)
    return {"event_id": table["event_id"].combine_chunks(), "offset": pc.subtract(intended, first)}


def encode_replayed(replayed: Replayed) -> str:
    """replay.json, indented; NaN and infinities become null."""
    return msgspec.json.format(msgspec.json.encode(replayed), indent=2).decode() + "\n"
