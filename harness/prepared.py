"""What a run needs, as files: history to learn from, a stream to send, labels kept apart; and when it is sent."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.faults.load_fault import surges_of
from harness.scenario import Scenario, Training
from streams.arrivals import BurstShape, schedule_ns
from streams.labels import NS_PER_DAY
from streams.worlds.world import WorldTables

REFERENCE_DAYS = 7
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """Event times (ns UTC): training is [train_from, train_until), the reference [reference_from, stream_start)."""

    train_from_ns: int
    train_until_ns: int
    reference_from_ns: int
    stream_start_ns: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder of Parquet files and what is known about them. `key` is the hash of all it was made from."""

    folder: Path
    key: str
    cached: bool
    windows: Windows
    facts: dict[str, Any]

    def file(self, name: str) -> Path:
        """`history`, `history_labels`, `events`, `labels`, `dispositions`; of cards `profiles` (where they have them);
        of transfers `accounts` and `members`."""
        return self.folder / f"{name}.parquet"

    @property
    def labelled(self) -> bool:
        """Whether the truth is known, so that quality can be measured."""
        return bool(self.facts["labelled"])

    @property
    def events(self) -> int:
        """Events in the stream."""
        return int(self.facts["events"])


def scheduled(scenario: Scenario, count: int | None = None) -> Int64s:
    """The schedule of a scenario's load, with its faults of the load in it (ns from the start): by its duration, or
    exactly `count` events."""
    load, seed = scenario.load, scenario.seeds.arrivals
    surges = surges_of(scenario.faults, load.rate_per_s)
    shape = BurstShape(load.burst.factor, load.burst.every_s, load.burst.length_s)
    duration_s = None if count is not None else load.total_s
    return schedule_ns(
        load.process, load.rate_per_s, seed=seed, count=count, duration_s=duration_s, burst=shape, surges=surges
    )


def world_windows(training: Training, stream_start_ns: int, start_ns: int) -> Windows:
    """The windows of a world that begins at `start_ns`."""
    # The reference is of days the model was not trained on; without a label delay there are none.
    reference_days = min(REFERENCE_DAYS, training.label_delay_days or REFERENCE_DAYS)
    return Windows(
        train_from_ns=start_ns + training.kernel_warmup_days * NS_PER_DAY,
        train_until_ns=stream_start_ns - training.label_delay_days * NS_PER_DAY,
        reference_from_ns=stream_start_ns - reference_days * NS_PER_DAY,
        stream_start_ns=stream_start_ns,
    )


def write_prepared(
    folder: Path, tables: WorldTables, beside: dict[str, pa.Table], windows: Windows, facts: dict[str, Any]
) -> None:
    """Write the files of a prepared folder; `beside` are tables by name, beyond history and stream."""
    streamed = {
        "history": tables.history_events,
        "history_labels": tables.history_labels,
        "events": tables.stream_events,
        "labels": tables.stream_labels,
    }
    for name, table in streamed.items():
        _write_table(folder, name, table)
    counts = {"events": len(tables.stream_events), "history": len(tables.history_events)}
    write_beside(folder, beside, windows, counts | facts)


def write_beside(folder: Path, beside: dict[str, pa.Table], windows: Windows, facts: dict[str, Any]) -> None:
    """Complete a prepared folder that holds history and stream; `facts` count both."""
    for name, table in beside.items():
        _write_table(folder, name, table)
    found = {"windows": {name: getattr(windows, name) for name in Windows.__slots__}, **facts}
    (folder / "prepared.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


def _write_table(folder: Path, name: str, table: pa.Table) -> None:
    pq.write_table(table, folder / f"{name}.parquet", compression="zstd", compression_level=1)


def open_prepared(folder: Path, key: str, cached: bool) -> Prepared:
    """A folder that `write_prepared` wrote."""
    facts = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    return Prepared(folder, key, cached, Windows(**facts["windows"]), facts)
