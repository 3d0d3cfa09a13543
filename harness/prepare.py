"""From a world or a data file of card transactions to what a run needs; other domains have modules of their own."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.aml.prepare import prepare_transfers
from harness.cache import cached_folder, content_key, hash_file, hash_sources
from harness.drifting import drift_key, with_drifts
from harness.feed import dispositions_between, in_order
from harness.own_data import Cut, cut_dataset
from harness.prepared import Prepared, Windows, open_prepared, scheduled, world_windows, write_beside, write_prepared
from harness.scenario import AmlScenario, Data, FraudScenario, Scenario
from harness.world_files import write_world
from streams.drift.applying import changed_world
from streams.labels import NS_PER_DAY
from streams.worlds.fraud.world import FraudWorld
from streams.worlds.world import WorldTables

SHARED_CODE = (
    "harness/prepare.py",
    "harness/prepared.py",
    "harness/feed.py",
    "harness/world_files.py",
    "streams/labels.py",
    "streams/profiles.py",
    "streams/transaction.py",
)
WORLD_CODE = ("streams/worlds", *SHARED_CODE)
TIME_NS_MAX = 2**63 - 1
DATA_CODE = ("streams/datasets", "harness/own_data.py", *SHARED_CODE)


class _Seen:
    """What is gathered of a world's events as they pass by: frauds that become known in the stream, and cards."""

    def __init__(self, stream_start_ns: int) -> None:
        self._from_ns = stream_start_ns
        self._cards = pa.array([], pa.string())
        self._known: list[pa.Table] = []

    def see(self, events: pa.Table, labels: pa.Table) -> None:
        """Look at events and their labels."""
        cards = events["card_id"].cast(pa.string()).unique()
        self._cards = pa.concat_arrays([self._cards, cards]).unique()
        self._known.append(dispositions_between(events, labels, self._from_ns, TIME_NS_MAX))

    def dispositions(self, until_ns: int) -> pa.Table:
        """As `dispositions_between` of all events seen."""
        known = pa.concat_tables(self._known)
        return in_order(known.filter(pc.less_equal(known["reported_at_ns"], until_ns)))

    def chosen(self, profiles: pa.Table) -> pa.Table:
        """The profiles of the cards that were seen."""
        return profiles.filter(pc.is_in(profiles["card_id"], value_set=self._cards))


def _write(
    folder: Path, tables: WorldTables, windows: Windows, facts: dict[str, Any], profiles: pa.Table | None = None
) -> None:
    events, labels = tables.stream_events, tables.stream_labels
    last_ns = int(pc.max(events["event_time_ns"]).as_py()) if len(events) else windows.stream_start_ns
    seen = _Seen(windows.stream_start_ns)
    seen.see(tables.history_events, tables.history_labels)
    seen.see(events, labels)
    beside = {"dispositions": seen.dispositions(last_ns)}
    if profiles is not None:
        beside["profiles"] = seen.chosen(profiles)
    write_prepared(folder, tables, beside, windows, facts)


def _prepare_world(scenario: FraudScenario, count: int, cache: Path) -> Prepared:
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
        stream_start_ns = made.start_ns + world.history_days * NS_PER_DAY
        windows = world_windows(scenario.training, stream_start_ns, made.start_ns)
        facts = {"labelled": True, "source": "world", "k": None, "published": []}
        if scenario.drifts:  # a drift changes what lies anywhere in the stream: all of it is held
            tables, _, _ = with_drifts(folder, scenario, made.generate(world.history_days, count))
            _write(folder, tables, windows, facts, made.profiles())
            return
        seen = _Seen(stream_start_ns)
        written = write_world(folder, made, world.history_days, count, seen.see)
        beside = {"dispositions": seen.dispositions(written.last_ns), "profiles": seen.chosen(made.profiles())}
        write_beside(folder, beside, windows, written.facts() | facts)

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


def prepare(scenario: Scenario, cache: Path, events: int | None = None) -> Prepared:
    """Make (or find in the cache) the files of a scenario. A card world streams as many events as are given, else as
    many as its load sends. Raises BadInputError for what cannot be used."""
    if isinstance(scenario, AmlScenario):
        return prepare_transfers(scenario, cache)
    if scenario.data is not None:
        return _prepare_data(scenario, scenario.data, cache)
    if isinstance(scenario, FraudScenario):
        return _prepare_world(scenario, len(scheduled(scenario)) if events is None else events, cache)
    raise TypeError(f"nothing prepares a {type(scenario).__name__}")
