"""A scenario's drifts put into what was prepared for it, and the truth about them written beside it."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.cache import hash_sources
from harness.prepared import scheduled
from harness.scenario import Scenario
from streams.drift.applying import apply_drifts
from streams.drift.material import material_of, tables_of
from streams.drift.truth import DriftTruth, faster, truth_table
from streams.worlds.world import WorldTables

TRUTH_FILE, TRUTH_TABLE = "drift_truth.json", "drift_truth.parquet"
DRIFT_CODE = ("harness/drifting.py", "streams/drift", "streams/section.py")


class DriftFile(msgspec.Struct, frozen=True, kw_only=True):
    """`drift_truth.json`: the drifts of a stream in the order they were applied, the stream's start (event time, ns)
    and the seed."""

    format: int = 1
    stream_start_ns: int
    seed: int
    drifts: tuple[DriftTruth, ...]


def drift_key(scenario: Scenario) -> dict[str, Any]:
    """What a prepared folder owes to the scenario's drifts: nothing where there are none."""
    if not scenario.drifts:
        return {}
    drifts = [drift.model_dump(mode="json") for drift in scenario.drifts]
    return {"drifts": drifts, "drift_seed": scenario.seeds.drift, "drift_code": hash_sources(DRIFT_CODE)}


def with_drifts(
    folder: Path,
    scenario: Scenario,
    tables: WorldTables,
    members: pa.Table | None = None,
    accounts: pa.Table | None = None,
) -> tuple[WorldTables, pa.Table | None, pa.Table | None]:
    """Tables, members and accounts with the scenario's drifts in them; the truth is written into the folder. All as
    they are where there are no drifts. Raises BadInputError for drifts that cannot be."""
    if not scenario.drifts:
        return tables, members, accounts
    material = material_of(scenario.domain, tables, members, accounts)
    material, truth = apply_drifts(scenario.drifts, material, scenario.seeds.drift)
    file = DriftFile(stream_start_ns=material.start_ns, seed=scenario.seeds.drift, drifts=truth)
    told = json.dumps(msgspec.to_builtins(file), indent=1)
    (folder / TRUTH_FILE).write_text(told, encoding="utf-8")
    pq.write_table(truth_table(material.stream, len(truth)), folder / TRUTH_TABLE, compression="zstd")
    return tables_of(material), material.members, material.accounts


def copy_truth(source: Path, target: Path) -> None:
    """Keep the truth about drifts, where there are any, with the run."""
    for name in (TRUTH_FILE, TRUTH_TABLE):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def read_truth(folder: Path) -> DriftFile | None:
    """The drifts of a prepared folder or of a run; None where it has none."""
    path = folder / TRUTH_FILE
    return msgspec.json.decode(path.read_bytes(), type=DriftFile) if path.is_file() else None


def schedule_of(scenario: Scenario, events: int, folder: Path) -> npt.NDArray[np.int64]:
    """The schedule (ns from the start) of the events of a prepared folder or a run: the scenario's, faster where one of
    its drifts says so."""
    schedule = scheduled(scenario, events)
    table = folder / TRUTH_TABLE
    if not table.is_file():
        return schedule
    pace = pq.read_table(table, columns=["pace"])["pace"].to_numpy()
    return faster(schedule, pace) if (pace != 1.0).any() else schedule
