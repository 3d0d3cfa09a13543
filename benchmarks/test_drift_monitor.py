"""Cost of watching for drift: counting features into bins, and all monitors together, in micro-batches."""

import time

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.by_turns import by_turns, note_rate
from harness.drift.batch import Batch, Names
from harness.drift.detector import Detector
from harness.drift.kernel import BinTable
from harness.drift.settings import Settings
from streams.labels import NS_PER_DAY
from streams.reference_bins import ReferenceBins

FEATURES = 30
MICRO_BATCH = 512
RATIO_MAX = 0.5
"""Of plain numpy, one search a feature."""
DAYS = 21
EVENTS = 420_000


def columns(events: int) -> np.ndarray:
    """Money, counts and shares, with missing values and point masses, as features have them."""
    random = np.random.default_rng(4)
    found = random.lognormal(3, 1, (events, FEATURES)).astype(np.float32)
    found[:, 10:20] = random.poisson(2, (events, 10))
    found[:, 20:] = np.where(random.random((events, 10)) < 0.3, np.nan, random.random((events, 10)))
    return found


def test_counting_features_costs_a_part_of_plain_numpys(benchmark: BenchmarkFixture) -> None:
    """Micro-batches of 512 events with 30 features; decile bins."""
    values = columns(40 * MICRO_BATCH)
    bins = [ReferenceBins.fit(values[:, place]) for place in range(FEATURES)]
    table = BinTable.of(bins)
    counts = np.zeros((1, FEATURES, table.size), np.int64)
    row = np.zeros(MICRO_BATCH, np.int64)
    batches = values.reshape(40, MICRO_BATCH, FEATURES)

    def ours(_: None) -> None:
        for batch in batches:
            table.count_into(counts, batch, row)

    def plain(_: None) -> list[object]:
        return [each.count(batch[:, place]) for batch in batches for place, each in enumerate(bins)]

    turns = by_turns(ours, plain, rounds=20)
    benchmark.extra_info["us_per_event"] = 1e6 * float(turns.ours.min()) / len(values)
    benchmark.extra_info["of_numpy"] = turns.least
    benchmark.pedantic(ours, args=(None,), rounds=5)  # type: ignore[no-untyped-call]
    note_rate(benchmark, "events", len(values))
    turns.hold("numpy, a search a feature", RATIO_MAX)


def test_all_monitors_keep_up(benchmark: BenchmarkFixture) -> None:
    """Three weeks of 20,000 events a day, of which the last is judged, past the burn-in."""
    random = np.random.default_rng(4)
    at = np.sort(random.integers(0, DAYS * NS_PER_DAY, EVENTS)) + 20_460 * NS_PER_DAY
    rows = np.flatnonzero(random.random(EVENTS) < 0.02).astype(np.int32)
    batch = Batch(
        ordinal=np.arange(EVENTS),
        event_time_ns=at,
        score=random.random(EVENTS) ** 4,
        is_model=random.random(EVENTS) < 0.8,
        outcome=(random.random(EVENTS) < 0.01).astype(np.int8),
        path=np.ones(EVENTS, np.int8),
        features=columns(EVENTS),
        hit_row=rows,
        hit_rule=random.integers(0, 20, len(rows)).astype(np.int32),
        group=random.integers(0, 4, EVENTS).astype(np.int16),
        key=random.integers(0, 10_000, EVENTS).astype(np.int32),
        content=random.integers(1, 2**63, EVENTS).astype(np.uint64),
    )
    names = Names(tuple(f"f{n}" for n in range(FEATURES)), tuple(f"r{n}" for n in range(20)), ("a", "b", "c", "d"))
    pieces = list(batch.micro_batches(MICRO_BATCH))
    cut = len(pieces) * Settings().burn_in_weeks * 7 // DAYS + 1
    detector = Detector(names)
    for piece in pieces[:cut]:
        detector.feed(piece)
    judged = sum(len(piece) for piece in pieces[cut:])
    before = time.process_time()

    def watch() -> int:
        return sum(len(detector.feed(piece)) for piece in pieces[cut:])

    assert benchmark.pedantic(watch, rounds=1) == 0  # type: ignore[no-untyped-call]
    benchmark.extra_info["us_per_event"] = 1e6 * (time.process_time() - before) / judged
    note_rate(benchmark, "events", judged)
