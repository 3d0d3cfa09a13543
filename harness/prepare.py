"""From a world or a data file to what a run needs: history to learn from, a stream to send, labels kept apart."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.cache import cached_folder, content_key, hash_file, hash_sources
from harness.faults.load_fault import surges_of
from harness.feed import dispositions_between
from harness.own_data import Cut, cut_dataset
from harness.scenario import Data, Scenario
from streams.arrivals import BurstShape, schedule_ns
from streams.labels import NS_PER_DAY
from streams.worlds.fraud.world import FraudWorld
from streams.worlds.world import WorldTables

REFERENCE_DAYS = 7
SHARED_CODE = (
    "harness/prepare.py",
    "harness/feed.py",
    "streams/labels.py",
    "streams/profiles.py",
    "streams/transaction.py",
)
WORLD_CODE = ("streams/worlds", *SHARED_CODE)
DATA_CODE = ("streams/datasets", "harness/own_data.py", *SHARED_CODE)
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
        """`history`, `history_labels`, `events`, `labels`, `dispositions`, or `profiles` (where cards have them)."""
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


def _world_windows(scenario: Scenario, tables: WorldTables, start_ns: int) -> Windows:
    training, stream = scenario.training, tables.stream_start_ns
    # The reference is of days the model was not trained on; without a label delay there are none.
    reference_days = min(REFERENCE_DAYS, training.label_delay_days or REFERENCE_DAYS)
    return Windows(
        train_from_ns=start_ns + training.kernel_warmup_days * NS_PER_DAY,
        train_until_ns=stream - training.label_delay_days * NS_PER_DAY,
        reference_from_ns=stream - reference_days * NS_PER_DAY,
        stream_start_ns=stream,
    )


def _seen_profiles(profiles: pa.Table, tables: WorldTables) -> pa.Table:
    """The profiles of the cards that occur in the history or in the stream."""
    cards = [table["card_id"].cast(pa.string()).unique() for table in (tables.history_events, tables.stream_events)]
    return profiles.filter(pc.is_in(profiles["card_id"], value_set=pa.concat_arrays(cards)))


def _write(folder: Path, tables: WorldTables, windows: Windows, facts: dict[str, Any]) -> None:
    events, labels = tables.stream_events, tables.stream_labels
    last_ns = int(events["event_time_ns"][-1].as_py()) if len(events) else windows.stream_start_ns
    both = pa.concat_tables([tables.history_events, events]).unify_dictionaries()
    both_labels = pa.concat_tables([tables.history_labels, labels]).unify_dictionaries()
    dispositions = dispositions_between(both, both_labels, windows.stream_start_ns, last_ns)
    for name, table in (
        ("history", tables.history_events),
        ("history_labels", tables.history_labels),
        ("events", events),
        ("labels", labels),
        ("dispositions", dispositions),
    ):
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", compression_level=1)
    windows_dict = {name: getattr(windows, name) for name in Windows.__slots__}
    found = {"windows": windows_dict, "events": len(events), "history": len(tables.history_events), **facts}
    (folder / "prepared.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


def _open(folder: Path, key: str, cached: bool) -> Prepared:
    facts = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    return Prepared(folder, key, cached, Windows(**facts["windows"]), facts)


def _prepare_world(scenario: Scenario, cache: Path) -> Prepared:
    count = len(scheduled(scenario))
    world = scenario.world
    key = content_key(
        {
            "world": world.model_dump(exclude_none=True),
            "seed": scenario.seeds.world,
            "events": count,
            "training": scenario.training.model_dump(include={"kernel_warmup_days", "label_delay_days"}),
            "code": hash_sources(WORLD_CODE),
            "numpy": np.__version__,  # its generators may draw otherwise in another version
        }
    )

    def make(folder: Path) -> None:
        made = FraudWorld(world.config, scenario.seeds.world)
        tables = made.generate(world.history_days, count)
        pq.write_table(_seen_profiles(made.profiles(), tables), folder / "profiles.parquet", compression="zstd")
        windows = _world_windows(scenario, tables, made.start_ns)
        _write(folder, tables, windows, {"labelled": True, "source": "world", "k": None, "published": []})

    folder, cached = cached_folder(cache, "prepared", key, make)
    return _open(folder, key, cached)


def _prepare_data(scenario: Scenario, data: Data, cache: Path) -> Prepared:
    load = scenario.load
    limit = None if load.duration_s is None else len(scheduled(scenario))
    mapping = data.columns
    key = content_key(
        {
            "file": hash_file(Path(data.file)),
            "columns": hash_file(Path(mapping)) if mapping and Path(mapping).is_file() else mapping,
            "limit": limit,
            "label_delay_days": scenario.training.label_delay_days,
            "code": hash_sources(DATA_CODE),
        }
    )

    def make(folder: Path) -> None:
        cut: Cut = cut_dataset(data, limit, scenario.training.label_delay_days)
        windows = Windows(cut.train_from_ns, cut.train_until_ns, cut.reference_from_ns, cut.tables.stream_start_ns)
        _write(folder, cut.tables, windows, cut.facts)

    folder, cached = cached_folder(cache, "prepared", key, make)
    return _open(folder, key, cached)


def prepare(scenario: Scenario, cache: Path) -> Prepared:
    """Make (or find in the cache) the files of a scenario. Raises BadInputError for what cannot be used."""
    if scenario.data is not None:
        return _prepare_data(scenario, scenario.data, cache)
    return _prepare_world(scenario, cache)
