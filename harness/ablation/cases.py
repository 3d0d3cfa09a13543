"""The labelled streams an ablation runs on, and the process that runs one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from harness.cache import cached_folder, content_key, hash_file, hash_sources
from harness.prepare import DATA_CODE, prepare
from harness.processes import module_command
from harness.scenario import load_scenario
from harness.training import Workshop, run_step
from streams.datasets.loader import load_dataset
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

TEST_EVENTS = 45_000
"""Events of a world's test period: a week of the default world."""
ABLATION_S = 7_200.0
WEEK_NS = 7 * NS_PER_DAY
EARLIER_WEEKS = 4
Span = tuple[int, int, int, int]
"""Training from and until, test from and until: event times, ns."""


@dataclass(frozen=True, slots=True)
class Case:
    """Files that follow one another in time, the spans to train and measure on, and how to measure."""

    name: str
    events: tuple[Path, ...]
    labels: tuple[Path, ...]
    spans: tuple[Span, ...]
    k: int
    label_delay_days: int
    without_known: bool


def world_case(scenario: str, seed: int, preset: str | None, shop: Workshop) -> Case:
    """The scenario's world of a seed: history to train on, and the `TEST_EVENTS` events that follow."""
    seconds = 30.0
    changes = {
        "seeds.world": seed,
        "world.preset": preset,
        "load.process": "constant",
        "load.rate_per_s": TEST_EVENTS / seconds,
        "load.duration_s": seconds,
        "load.warmup_s": 0.0,
    }
    resolved = load_scenario(scenario, changes)
    if resolved.data is not None:
        raise BadInputError(f"scenario {scenario}: it streams a data file; an ablation needs a world of several seeds")
    prepared = prepare(resolved, shop.cache)
    windows = prepared.windows
    last = int(np.max(pq.read_table(prepared.file("events"), columns=["event_time_ns"])[0].to_numpy()))
    span = (windows.train_from_ns, windows.train_until_ns, windows.stream_start_ns, last + 1)
    return Case(
        f"world-{seed}",
        (prepared.file("history"), prepared.file("events")),
        (prepared.file("history_labels"), prepared.file("labels")),
        (span,),
        resolved.measure.k or 10,
        resolved.training.label_delay_days,
        without_known=False,
    )


def protocol_case(file: Path, columns: str | None, shop: Workshop) -> Case:
    """A data file by its protocol: first the same protocol on `EARLIER_WEEKS` weeks before, the earliest first, and the
    protocol's own week last. Raises `BadInputError` for a file without labels or protocol."""
    dataset = load_dataset(file, columns)
    protocol = dataset.protocol
    if protocol is None or dataset.labels is None:
        raise BadInputError(f"{file}: an ablation needs labels and a protocol in the column map {dataset.mapping}")
    key = content_key({"file": hash_file(file), "columns": dataset.mapping, "code": hash_sources(DATA_CODE)})
    labels = dataset.labels

    def make(folder: Path) -> None:
        pq.write_table(dataset.events, folder / "events.parquet")
        pq.write_table(labels, folder / "labels.parquet")

    folder, _ = cached_folder(shop.cache, "ablation-data", key, make)
    own = (protocol.train_from_ns, protocol.train_until_ns, protocol.stream_from_ns, protocol.stream_until_ns)
    first = int(dataset.events["event_time_ns"][0].as_py())
    spans = [tuple(end - weeks * WEEK_NS for end in own) for weeks in range(EARLIER_WEEKS, -1, -1)]
    return Case(
        dataset.mapping,
        (folder / "events.parquet",),
        (folder / "labels.parquet",),
        tuple((a, b, c, d) for a, b, c, d in spans if a >= first),
        protocol.k,
        protocol.label_delay_days,
        without_known=protocol.remove_known_compromised,
    )


def run_case(case: Case, seeds: list[int], groups: list[str], shop: Workshop) -> dict[str, Any]:
    """The cells of a case (`python -m models ablate`), from the cache where they were computed before."""
    cache = shop.cache / "ablation"
    cache.mkdir(parents=True, exist_ok=True)
    out = shop.logs / f"ablation-{case.name}.json"
    command = module_command(
        "models", "ablate", "--out", str(out), "--cache-dir", str(cache), "--k", str(case.k),
        "--label-delay-days", str(case.label_delay_days), *_repeated(case, seeds, groups),
    )  # fmt: skip
    command += ["--without-known"] if case.without_known else []
    shop.family.stop(run_step(shop, f"ablation-{case.name}", command, ABLATION_S))
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def _repeated(case: Case, seeds: list[int], groups: list[str]) -> Iterator[str]:
    options = (
        ("--events", case.events),
        ("--labels", case.labels),
        ("--window", [",".join(map(str, span)) for span in case.spans]),
        ("--seed", seeds),
        ("--group", groups),
    )
    for option, values in options:
        for value in values:
            yield option
            yield str(value)
