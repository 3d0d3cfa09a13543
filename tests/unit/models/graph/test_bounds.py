"""What keeps the stream going: bounded steps for any graph, memory bounded by the window."""

import numpy as np
import numpy.typing as npt
import pytest

from models.features.batch import Status
from models.graph.batch import TransferBatch
from models.graph.catalog import AML_FEATURE_INDEX
from models.graph.kernel.layout import LOOKED_AT, SHIFTED_MAX, STEPS_MAX
from models.graph.state import GraphState
from models.kernels.sparse_graph import coded, graph_state, sparse_transfers
from streams.labels import NS_PER_DAY, NS_PER_HOUR, NS_PER_S

HUB = 10_000
Int64s = npt.NDArray[np.int64]


def hub_transfers(hours: float) -> TransferBatch:
    """10,000 accounts pay the hub, in turn with the hub paying them back and with each other."""
    rng = np.random.default_rng(1)
    spoke = np.arange(1, HUB + 1)
    hub, other = np.zeros(HUB, np.int64), rng.permutation(spoke)
    sender = np.stack([spoke, hub, spoke], axis=1).ravel()
    receiver = np.stack([hub, other, other], axis=1).ravel()
    times = np.linspace(0, hours * NS_PER_HOUR, len(sender)).astype(np.int64)
    return coded(sender, receiver, times, rng)


def steps_of_each(state: GraphState, batch: TransferBatch) -> Int64s:
    """Steps that each transfer takes."""
    found, status = np.empty(len(batch), np.int64), np.zeros(len(batch), np.uint8)
    values = np.zeros((2 * len(batch), len(AML_FEATURE_INDEX)), np.float32)
    for row in range(len(batch)):
        state.compute_into(batch, values, status, row, row + 1)
        found[row] = state.steps_last
    return found


def test_a_hub_takes_no_more_steps_than_stated_however_many_it_deals_with() -> None:
    state = graph_state(HUB + 1)
    steps = steps_of_each(state, hub_transfers(100))
    assert state.steps_most == steps.max() <= STEPS_MAX
    early, late = steps[3_000:6_000], steps[-3_000:]  # both well beyond the bounds
    assert np.percentile(late, 99) <= 1.3 * np.percentile(early, 99)
    assert late.mean() <= 1.3 * early.mean()


def test_a_hubs_counterparties_are_counted_beyond_the_bound() -> None:
    state = graph_state(HUB + 1)
    spokes = np.arange(1, 2_001)
    batch = coded(spokes, np.zeros_like(spokes), np.arange(len(spokes)) * NS_PER_S, np.random.default_rng(1))
    senders = state.compute(batch).values[1::2, AML_FEATURE_INDEX["senders_7d"]]
    assert len(spokes) > LOOKED_AT
    assert senders.tolist() == spokes.tolist()


@pytest.mark.parametrize("accounts", [6, 40])
def test_a_dense_graph_takes_no_more_steps_than_stated(accounts: int) -> None:
    state = graph_state(accounts)
    state.compute(sparse_transfers(20_000, accounts, 8.0))
    assert 0 < state.steps_most <= STEPS_MAX
    assert state.cut_short > 0


def test_a_hub_that_was_silent_for_long_costs_no_more_than_a_busy_one() -> None:
    state = graph_state(HUB + 1)
    state.compute(hub_transfers(100))
    most = state.steps_most
    after = hub_transfers(1)
    after.cells[:, 0] += 10**9
    after.cells[:, 1] += 60 * NS_PER_DAY
    state.compute(after.take(slice(0, 300)))
    assert state.steps_most <= max(most, STEPS_MAX)


def test_a_late_transfer_behind_too_many_is_too_late() -> None:
    state = graph_state(HUB + 1)
    count = SHIFTED_MAX + 10
    rng = np.random.default_rng(1)
    first = coded(np.zeros(count, np.int64), np.arange(1, count + 1), np.arange(count) * NS_PER_S, rng)
    state.compute(first)
    late = coded(np.zeros(2, np.int64), np.array([5_000, 5_001]), np.array([5, 500]) * NS_PER_S + 1, rng)
    late.cells[:, 0] += 10**9
    assert state.compute(late).status.tolist() == [Status.TOO_LATE, Status.LATE]
    assert state.steps_most <= STEPS_MAX


def test_memory_is_bounded_by_the_window() -> None:
    """A year of new accounts every month takes no more room than three months do."""
    state, used = graph_state(12_000), []
    for month in range(12):
        batch = sparse_transfers(4_000, 1_000, 30.0, seed=month)
        batch.cells[:, 0] += month * 10**6
        batch.cells[:, 1] += month * 30 * NS_PER_DAY
        batch.cells[:, 2:4] += 1_000 * month
        state.compute(batch)
        used.append(state.entries_used)
    assert used[-1] <= 1.1 * used[3]
