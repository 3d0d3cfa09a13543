"""Cost of the graph kernel: per transfer one at a time, in batches, late in the stream, at a hub."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.by_turns import note_rate
from models.graph.batch import TransferBatch
from models.graph.state import warm_up
from models.kernels.graph_speed import ACCOUNTS, DAYS, MICRO_BATCH, TRANSFERS, Run
from models.kernels.sparse_graph import MARKETS, coded, sparse_transfers
from streams.labels import NS_PER_DAY

LATE_TO_EARLY_MAX = 2.0
HUB_TO_SPARSE_MAX = 6.0
ONE_TO_BATCH_MAX = 3.0
PASSING_TO_COMPUTED_MAX = 0.4
TRIES = 2


def cost(run: Run, first: int, end: int, size: int) -> float:
    """Processor seconds a transfer of rows [first, end), `size` at a time; neighbours on the machine weigh less."""
    begin = time.process_time()
    for row in range(first, end, size):
        run.advance(row, min(row + size, end))
    return (time.process_time() - begin) / (end - first)


def thread_times(run: Run) -> NDArray[np.int64]:
    """Processor time of each transfer in nanoseconds: what it costs while nobody else has the core."""
    taken = np.empty(len(run.batch), np.int64)
    for row in range(len(run.batch)):
        begin = time.thread_time_ns()
        run.advance(row, row + 1)
        taken[row] = time.thread_time_ns() - begin
    return taken


def hub_transfers(transfers: int, accounts: int) -> TransferBatch:
    """Every other transfer is into account 0 or out of it, over a week."""
    rng = np.random.default_rng(1)
    spokes, others = rng.integers(1, accounts, (2, transfers))
    side = rng.integers(0, 4, transfers)
    sender, receiver = np.where(side == 0, 0, spokes), np.where(side == 1, 0, others)
    return coded(sender, receiver, np.sort(rng.integers(0, 7 * NS_PER_DAY, transfers)), rng)


def test_late_in_the_stream_costs_what_it_did_early_on() -> None:
    """Both when a window's transfers are held: what a stream leaves behind costs nothing."""
    warm_up(MARKETS)
    early, late = [], []
    for _ in range(TRIES):
        run = Run(5_000, sparse_transfers(60_000, 5_000, 200.0))
        cost(run, 0, 12_000, MICRO_BATCH)
        early.append(cost(run, 12_000, 20_000, MICRO_BATCH))
        cost(run, 20_000, 52_000, MICRO_BATCH)
        late.append(cost(run, 52_000, 60_000, MICRO_BATCH))
    assert min(late) <= LATE_TO_EARLY_MAX * min(early), f"{min(late) / min(early):.2f} times"


def test_a_hub_costs_a_few_sparse_transfers() -> None:
    warm_up(MARKETS)
    hub, sparse = [], []
    for _ in range(TRIES):
        run = Run(ACCOUNTS, hub_transfers(40_000, ACCOUNTS))
        cost(run, 0, 20_000, MICRO_BATCH)
        hub.append(cost(run, 20_000, 40_000, MICRO_BATCH))
        run = Run(ACCOUNTS, sparse_transfers(40_000, ACCOUNTS, 7.0))
        cost(run, 0, 20_000, MICRO_BATCH)
        sparse.append(cost(run, 20_000, 40_000, MICRO_BATCH))
    assert min(hub) <= HUB_TO_SPARSE_MAX * min(sparse), f"{min(hub) / min(sparse):.2f} times"


def test_one_at_a_time_costs_little_more_than_in_batches() -> None:
    warm_up(MARKETS)
    one, many = [], []
    for _ in range(TRIES):
        batch = sparse_transfers(40_000, ACCOUNTS, 7.0)
        one.append(cost(Run(ACCOUNTS, batch), 0, 40_000, 1))
        many.append(cost(Run(ACCOUNTS, batch), 0, 40_000, MICRO_BATCH))
    assert min(one) <= ONE_TO_BATCH_MAX * min(many), f"{min(one) / min(many):.2f} times"


@pytest.mark.benchmark(group="graph-kernel")
def test_one_transfer_at_a_time(benchmark: BenchmarkFixture) -> None:
    """111,000 sparse transfers with planted cycles, a call each, on one thread."""
    warm_up(MARKETS)
    run = Run(ACCOUNTS, sparse_transfers(TRANSFERS, ACCOUNTS, DAYS))
    rows = iter(range(TRANSFERS))

    def next_row() -> tuple[tuple[int], dict[str, object]]:
        return (next(rows),), {}

    def compute(row: int) -> None:
        run.advance(row, row + 1)

    benchmark.pedantic(compute, setup=next_row, rounds=TRANSFERS)  # type: ignore[no-untyped-call]
    note_rate(benchmark, "transfers", 1)
    own = thread_times(Run(ACCOUNTS, run.batch))
    benchmark.extra_info["transfers_per_cpu_s"] = 1e9 / float(own.mean())
    benchmark.extra_info |= {f"cpu_p{q}_us": float(np.percentile(own, q)) / 1e3 for q in (50, 99)}
    benchmark.extra_info["steps_most"] = run.state.steps_most
    benchmark.extra_info["entries_used"] = run.state.entries_used


@pytest.mark.benchmark(group="graph-kernel")
def test_in_micro_batches(benchmark: BenchmarkFixture) -> None:
    warm_up(MARKETS)
    batch = sparse_transfers(TRANSFERS, ACCOUNTS, DAYS)

    def fresh() -> tuple[tuple[Run], dict[str, object]]:
        return (Run(ACCOUNTS, batch),), {}

    benchmark.pedantic(lambda run: cost(run, 0, TRANSFERS, MICRO_BATCH), setup=fresh, rounds=2)  # type: ignore[no-untyped-call]
    note_rate(benchmark, "transfers", TRANSFERS)


def test_a_row_that_nobody_wants_costs_a_fraction_of_one_that_is_computed() -> None:
    warm_up(MARKETS)
    whole, passing = [], []
    for _ in range(TRIES):
        batch = sparse_transfers(40_000, ACCOUNTS, 7.0)
        whole.append(cost(Run(ACCOUNTS, batch), 0, 40_000, MICRO_BATCH))
        passing.append(cost(Run(ACCOUNTS, batch, np.zeros(len(batch), np.uint8)), 0, 40_000, MICRO_BATCH))
    assert min(passing) <= PASSING_TO_COMPUTED_MAX * min(whole), f"{min(passing) / min(whole):.2f} times"
