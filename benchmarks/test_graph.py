"""Cost of the graph kernel: per transfer one at a time, in batches, late in the stream, at a hub."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.by_turns import note_rate
from benchmarks.transfer_graph import MARKETS, coded, graph_state, sparse_transfers
from models.features.batch import UInt8s
from models.graph.batch import TransferBatch
from models.graph.catalog import AML_FEATURES
from models.graph.state import EVERY_ROW, GraphState, warm_up
from streams.labels import NS_PER_DAY

TRANSFERS, ACCOUNTS, DAYS = 111_000, 20_000, 20.0
MICRO_BATCH = 256
LATE_TO_EARLY_MAX = 2.0
HUB_TO_SPARSE_MAX = 6.0
ONE_TO_BATCH_MAX = 3.0
PASSING_TO_COMPUTED_MAX = 0.4
TRIES = 2


class Run:
    """A stream taken in bit by bit into one state; processor time, so that neighbours on the machine weigh less."""

    def __init__(self, accounts: int, batch: TransferBatch, wanted: UInt8s = EVERY_ROW) -> None:
        self.state: GraphState = graph_state(accounts)
        self.wanted = wanted
        self.batch = batch
        self.values = np.zeros((2 * len(batch), len(AML_FEATURES)), np.float32)
        self.status = np.zeros(len(batch), np.uint8)

    def cost(self, first: int, end: int, size: int) -> float:
        """Processor seconds a transfer of rows [first, end), `size` at a time."""
        begin = time.process_time()
        for row in range(first, end, size):
            self.state.compute_into(self.batch, self.values, self.status, row, min(row + size, end), self.wanted)
        return (time.process_time() - begin) / (end - first)


def thread_times(run: Run) -> NDArray[np.int64]:
    """Processor time of each transfer in nanoseconds: what it costs while nobody else has the core."""
    taken = np.empty(len(run.batch), np.int64)
    for row in range(len(run.batch)):
        begin = time.thread_time_ns()
        run.state.compute_into(run.batch, run.values, run.status, row, row + 1)
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
        run.cost(0, 12_000, MICRO_BATCH)
        early.append(run.cost(12_000, 20_000, MICRO_BATCH))
        run.cost(20_000, 52_000, MICRO_BATCH)
        late.append(run.cost(52_000, 60_000, MICRO_BATCH))
    assert min(late) <= LATE_TO_EARLY_MAX * min(early), f"{min(late) / min(early):.2f} times"


def test_a_hub_costs_a_few_sparse_transfers() -> None:
    warm_up(MARKETS)
    hub, sparse = [], []
    for _ in range(TRIES):
        run = Run(ACCOUNTS, hub_transfers(40_000, ACCOUNTS))
        run.cost(0, 20_000, MICRO_BATCH)
        hub.append(run.cost(20_000, 40_000, MICRO_BATCH))
        run = Run(ACCOUNTS, sparse_transfers(40_000, ACCOUNTS, 7.0))
        run.cost(0, 20_000, MICRO_BATCH)
        sparse.append(run.cost(20_000, 40_000, MICRO_BATCH))
    assert min(hub) <= HUB_TO_SPARSE_MAX * min(sparse), f"{min(hub) / min(sparse):.2f} times"


def test_one_at_a_time_costs_little_more_than_in_batches() -> None:
    warm_up(MARKETS)
    one, many = [], []
    for _ in range(TRIES):
        batch = sparse_transfers(40_000, ACCOUNTS, 7.0)
        one.append(Run(ACCOUNTS, batch).cost(0, 40_000, 1))
        many.append(Run(ACCOUNTS, batch).cost(0, 40_000, MICRO_BATCH))
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
        run.state.compute_into(run.batch, run.values, run.status, row, row + 1)

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

    benchmark.pedantic(lambda run: run.cost(0, TRANSFERS, MICRO_BATCH), setup=fresh, rounds=2)  # type: ignore[no-untyped-call]
    note_rate(benchmark, "transfers", TRANSFERS)


def test_a_row_that_nobody_wants_costs_a_fraction_of_one_that_is_computed() -> None:
    warm_up(MARKETS)
    whole, passing = [], []
    for _ in range(TRIES):
        batch = sparse_transfers(40_000, ACCOUNTS, 7.0)
        whole.append(Run(ACCOUNTS, batch).cost(0, 40_000, MICRO_BATCH))
        passing.append(Run(ACCOUNTS, batch, np.zeros(len(batch), np.uint8)).cost(0, 40_000, MICRO_BATCH))
    assert min(passing) <= PASSING_TO_COMPUTED_MAX * min(whole), f"{min(passing) / min(whole):.2f} times"
