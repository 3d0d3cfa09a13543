"""Takes in the part of a history whose alerts nobody asks for: graph, links, evidence, and who was raised when."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.batch import Status, UInt8s
from models.graph.daily import daily_blocks
from models.graph.kernel.layout import COMMUNITY_AT, COMMUNITY_COLUMNS
from models.graph.link_ledger import LinkLedger
from models.graph.markets import every_market
from models.graph.state import GraphState
from rules.typologies.pack import TypologyPack
from scorer.aml.last_raised import STRETCH_NS, last_raised, raised_from_the_beginning
from scorer.aml.places import Places
from scorer.aml.raising import ReachedScores
from scorer.aml.state_files import TransferState

_COMMUNITIES = frozenset(range(COMMUNITY_AT, COMMUNITY_AT + COMMUNITY_COLUMNS))


def enter_transfers(
    state: TransferState, pack: TypologyPack, transfers: pa.Table, stretch_ns: int = STRETCH_NS
) -> None:
    """Take transfers (TRANSFER_SCHEMA, in the order of arrival) into a state that has seen none.

    Features are computed of the last `stretch_ns` alone, and of all transfers of the customers that stretch leaves open
    (see `scorer.aml.last_raised`). What comes next is decided as if every transfer had been scored, also when it is up
    to `LATE_NS` late.
    """
    if not len(transfers):
        return
    times, raiser = transfers["event_time_ns"].to_numpy(), state.raiser
    end_ns = int(times.max()) + 1
    begin_ns = end_ns - stretch_ns
    later = np.flatnonzero(times >= begin_ns)
    cut = int(later[0])
    wanted = np.zeros(len(transfers), np.uint8)
    wanted[cut:] = 1
    reached = ReachedScores.joined(list(_entered(state, pack, transfers, wanted)))
    customers = len(raiser.last_raised_ns)
    if cut == 0:
        raiser.go_on_from(raised_from_the_beginning(reached, raiser.window_ns, customers))
        return
    found = last_raised(reached, raiser.window_ns, customers, begin_ns, end_ns)
    if found.is_open.any():
        before = _scored_before(state, pack, transfers.slice(0, cut), found.is_open)
        whole = ReachedScores.joined([before, reached.of(found.is_open)])
        exact = raised_from_the_beginning(whole, raiser.window_ns, customers)
        found.last_ns[found.is_open] = exact[found.is_open]
    raiser.go_on_from(found.last_ns)


def _entered(state: TransferState, pack: TypologyPack, transfers: pa.Table, wanted: UInt8s) -> Iterator[ReachedScores]:
    """Transfers into graph, links and evidence; the scores of wanted ones that reach `alert_at`."""
    batch, places = state.graph.code_table(transfers), Places.of(state.graph, state.accounts)
    place = places.of_sides(batch).reshape(-1, 2)
    looks = bool(_COMMUNITIES & pack.reads)
    for first, end, block in daily_blocks(state.graph, state.ledger, batch, wanted, communities=looks):
        kept = np.asarray(block.status != Status.REPEATED)
        own, times = place[first:end], batch.time_ns[first:end]
        ids = transfers["event_id"].slice(first, end - first).filter(pa.array(kept)).to_pylist()
        state.raiser.pass_over(ids, times[kept], own[kept].ravel())
        asked = kept & (wanted[first:end] != 0)
        if asked.any():
            yield _reached(state, pack, times[asked], own[asked].ravel(), block.values[np.repeat(asked, 2)])


def _scored_before(
    state: TransferState, pack: TypologyPack, transfers: pa.Table, customers: NDArray[np.bool_]
) -> ReachedScores:
    """Scores of these customers (bool [customers]) that reach `alert_at`, with a graph of their own from the start."""
    graph, ledger = GraphState(state.accounts, every_market()), LinkLedger()
    batch, places = graph.code_table(transfers), Places.of(graph, state.accounts)
    place = places.of_sides(batch)
    own = (place >= 0) & customers[state.raiser.customer_of[place]]
    wanted = np.asarray(own.reshape(-1, 2).any(axis=1), dtype=np.uint8)
    looks, parts = bool(_COMMUNITIES & pack.reads), []
    for first, end, block in daily_blocks(graph, ledger, batch, wanted, communities=looks):
        asked = (block.status != Status.REPEATED) & (wanted[first:end] != 0)
        if asked.any():
            rows = np.repeat(asked, 2)
            account = place[2 * first : 2 * end][rows]
            parts.append(_reached(state, pack, batch.time_ns[first:end][asked], account, block.values[rows]))
    return ReachedScores.joined(parts).of(customers)


def _reached(
    state: TransferState,
    pack: TypologyPack,
    time_ns: NDArray[np.int64],
    account: NDArray[np.int32],
    values: NDArray[np.float32],
) -> ReachedScores:
    scores = pack.score(values, state.raiser.market_of(account))
    return state.raiser.reached(time_ns, account, scores)
