"""From a money-laundering world or files of transfers and accounts to what a run needs."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from harness.aml.own_transfers import cut_transfers
from harness.cache import cached_folder, content_key, hash_file, hash_sources
from harness.drifting import drift_key, with_drifts
from harness.prepared import Prepared, open_prepared, scheduled, world_windows, write_beside, write_prepared
from harness.scenario import AmlScenario, TransferData
from harness.world_files import write_world
from streams.drift.applying import changed_world
from streams.labels import NS_PER_DAY
from streams.worlds.aml.world import TICK_NS, AmlWorld

NO_DISPOSITIONS = pa.Table.from_batches([], pa.schema([("reported_at_ns", pa.int64())]))
"""Findings follow from alerts: they are not known before a run."""
WORLD_CODE = (
    "harness/aml/prepare.py",
    "harness/prepared.py",
    "harness/world_files.py",
    "streams/account.py",
    "streams/laundering.py",
    "streams/markets",
    "streams/transfer.py",
    "streams/worlds",
)


DATA_CODE = (
    "harness/aml/own_transfers.py",
    "harness/aml/prepare.py",
    "harness/aml/split.py",
    "harness/own_data.py",
    "harness/prepared.py",
    "streams/account.py",
    "streams/datasets",
    "streams/laundering.py",
    "streams/transfer.py",
)


def prepare_transfers(scenario: AmlScenario, cache: Path) -> Prepared:
    """Make (or find in the cache) the files of a scenario. Raises BadInputError for what cannot be used."""
    if scenario.data is None:
        return _prepare_world(scenario, len(scheduled(scenario)), cache)
    limit = None if scenario.load.duration_s is None else len(scheduled(scenario))
    return _prepare_files(scenario, scenario.data, limit, cache)


def prepare_longer(scenario: AmlScenario, count: int, cache: Path) -> Prepared:
    """As `prepare_transfers` of a run that sent `count` transfers, but its stream goes on: a world's for as many again,
    a file's to its end."""
    if scenario.data is None:
        return _prepare_world(scenario, 2 * count, cache)
    return _prepare_files(scenario, scenario.data, None, cache)


def _prepare_world(scenario: AmlScenario, count: int, cache: Path) -> Prepared:
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
        made = AmlWorld(changed_world(scenario.drifts, world.config), scenario.seeds.world)
        stream_start_ns = made.start_ns + world.history_days * NS_PER_DAY
        windows = world_windows(scenario.training, stream_start_ns, made.start_ns)
        facts = {"labelled": True, "source": "world"}
        beside = {"dispositions": NO_DISPOSITIONS}
        if scenario.drifts:  # a drift changes what lies anywhere in the stream: all of it is held
            whole = made.generate(world.history_days, count)
            tables, members, accounts = with_drifts(folder, scenario, whole, whole.members, whole.accounts)
            write_prepared(folder, tables, beside | {"accounts": accounts, "members": members}, windows, facts)
            return
        written = write_world(folder, made, world.history_days, count)
        beside |= {"accounts": made.accounts(), "members": made.members(written.last_ns + TICK_NS)}
        write_beside(folder, beside, windows, written.facts() | facts)

    folder, cached = cached_folder(cache, "prepared", key, make)
    return open_prepared(folder, key, cached)


def _prepare_files(scenario: AmlScenario, data: TransferData, limit: int | None, cache: Path) -> Prepared:
    mapping = data.columns
    key = content_key(
        {
            "files": [hash_file(Path(file)) for file in (data.file, data.accounts)],
            "columns": hash_file(Path(mapping)) if mapping and Path(mapping).is_file() else mapping,
            "limit": limit,
            "last_days": data.last_days,
            "label_delay_days": scenario.training.label_delay_days,
            "code": hash_sources(DATA_CODE),
            **drift_key(scenario),
        }
    )

    def make(folder: Path) -> None:
        cut = cut_transfers(data, limit, scenario.training.label_delay_days)
        tables, members, accounts = with_drifts(folder, scenario, cut.tables, cut.members, cut.accounts)
        beside = {"dispositions": NO_DISPOSITIONS, "accounts": accounts, "members": members}
        write_prepared(folder, tables, beside, cut.windows, cut.facts)

    folder, cached = cached_folder(cache, "prepared", key, make)
    return open_prepared(folder, key, cached)
