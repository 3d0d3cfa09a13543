"""From a world or a data file of card transactions to what a run needs; other domains have modules of their own."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.aml.prepare import prepare_transfers
from harness.cache import cached_folder, content_key, hash_file, hash_sources
from harness.drifting import drift_key, with_drifts
from harness.feed import dispositions_between
from harness.own_data import Cut, cut_dataset
from harness.prepared import Prepared, Windows, open_prepared, scheduled, world_windows, write_prepared
from harness.scenario import AmlScenario, Data, FraudScenario, Scenario
from streams.drift.applying import changed_world
from streams.worlds.fraud.world import FraudWorld
from streams.worlds.world import WorldTables

SHARED_CODE = (
    "harness/prepare.py",
    "harness/prepared.py",
    "harness/feed.py",
    "streams/labels.py",
    "streams/profiles.py",
    "streams/transaction.py",
)
WORLD_CODE = ("streams/worlds", *SHARED_CODE)
DATA_CODE = ("streams/datasets", "harness/own_data.py", *SHARED_CODE)


def _seen_profiles(profiles: pa.Table, tables: WorldTables) -> pa.Table:
    """The profiles of the cards that occur in the history or in the stream."""
    cards = [table["card_id"].cast(pa.string()).unique() for table in (tables.history_events, tables.stream_events)]
    return profiles.filter(pc.is_in(profiles["card_id"], value_set=pa.concat_arrays(cards)))


def _write(
    folder: Path, tables: WorldTables, windows: Windows, facts: dict[str, Any], profiles: pa.Table | None = None
) -> None:
    events, labels = tables.stream_events, tables.stream_labels
    last_ns = int(pc.max(events["event_time_ns"]).as_py()) if len(events) else windows.stream_start_ns
    both = pa.concat_tables([tables.history_events, events]).unify_dictionaries()
    both_labels = pa.concat_tables([tables.history_labels, labels]).unify_dictionaries()
    beside = {"dispositions": dispositions_between(both, both_labels, windows.stream_start_ns, last_ns)}
    if profiles is not None:
        beside["profiles"] = _seen_profiles(profiles, tables)
    write_prepared(folder, tables, beside, windows, facts)


def _prepare_world(scenario: FraudScenario, cache: Path) -> Prepared:
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
            **drift_key(scenario),
        }
    )

    def make(folder: Path) -> None:
        made = FraudWorld(changed_world(scenario.drifts, world.config), scenario.seeds.world)
        tables, _, _ = with_drifts(folder, scenario, made.generate(world.history_days, count))
        windows = world_windows(scenario.training, tables.stream_start_ns, made.start_ns)
        facts = {"labelled": True, "source": "world", "k": None, "published": []}
        _write(folder, tables, windows, facts, made.profiles())

    folder, cached = cached_folder(cache, "prepared", key, make)
    return open_prepared(folder, key, cached)


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
            **drift_key(scenario),
        }
    )

    def make(folder: Path) -> None:
        cut: Cut = cut_dataset(data, limit, scenario.training.label_delay_days)
        windows = Windows(cut.train_from_ns, cut.train_until_ns, cut.reference_from_ns, cut.tables.stream_start_ns)
        tables, _, _ = with_drifts(folder, scenario, cut.tables)
        _write(folder, tables, windows, cut.facts)

    folder, cached = cached_folder(cache, "prepared", key, make)
    return open_prepared(folder, key, cached)


def prepare(scenario: Scenario, cache: Path) -> Prepared:
    """Make (or find in the cache) the files of a scenario. Raises BadInputError for what cannot be used."""
    if isinstance(scenario, AmlScenario):
        return prepare_transfers(scenario, cache)
    if scenario.data is not None:
        return _prepare_data(scenario, scenario.data, cache)
    if isinstance(scenario, FraudScenario):
        return _prepare_world(scenario, cache)
    raise TypeError(f"nothing prepares a {type(scenario).__name__}")
