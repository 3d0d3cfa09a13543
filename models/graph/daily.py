"""A stream with its nightly job in one: features with the community table of the evening before."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.batch import FeatureBlock, UInt8s
from models.graph.batch import TransferBatch
from models.graph.catalog import AML_FEATURES
from models.graph.community_table import TABLES_KEPT
from models.graph.link_ledger import LinkLedger
from models.graph.state import EVERY_ROW, GraphState
from streams.labels import NS_PER_DAY


@dataclass(frozen=True, slots=True)
class _Day:
    """Transfers [first, end) of a batch, before which the table of business day `closes` is closed (None: none is), and
    whether it has to be drawn."""

    first: int
    end: int
    closes: int | None
    draws: bool


def compute_daily(
    state: GraphState, ledger: LinkLedger, batch: TransferBatch, wanted: UInt8s = EVERY_ROW
) -> FeatureBlock:
    """As `GraphState.compute`; before the first transfer of a calendar day, the table of the day before is closed and
    installed. Any split into batches gives the same rows."""
    values = np.empty((2 * len(batch), len(AML_FEATURES)), np.float32)
    status = np.zeros(len(batch), np.uint8)
    for first, end, block in daily_blocks(state, ledger, batch, wanted):
        values[2 * first : 2 * end], status[first:end] = block.values, block.status
    return FeatureBlock(values, status)


def daily_blocks(
    state: GraphState,
    ledger: LinkLedger,
    batch: TransferBatch,
    wanted: UInt8s = EVERY_ROW,
    *,
    communities: bool = True,
) -> Iterator[tuple[int, int, FeatureBlock]]:
    """As `compute_daily`, day by day: the rows of transfers [first, end). Memory is that of a day.

    A table that no wanted transfer may look into is not drawn, unless it is one of the last, which the state keeps.
    Without `communities` no wanted transfer looks into one: nothing in those columns of its rows is to be used.
    """
    looking = wanted if communities else np.zeros(len(batch), np.uint8)
    for day in _days(ledger, batch, looking):
        if day.draws and day.closes is not None:
            state.install(ledger.close(day.closes, state.names_of))
        elif day.closes is not None:
            ledger.pass_over(day.closes)
        rows = slice(day.first, day.end)
        part = batch.take(rows)
        block = state.compute(part, wanted[rows])
        ledger.observe(part, block.status)
        yield day.first, day.end, block


def _days(ledger: LinkLedger, batch: TransferBatch, wanted: UInt8s) -> Iterator[_Day]:
    needed = np.maximum.accumulate(np.append(ledger.last_closed, batch.time_ns // NS_PER_DAY - 1))
    begins = np.flatnonzero(np.diff(needed) > 0)
    cuts = np.unique(np.concatenate([[0], begins, [len(batch)]]))
    draws = iter(_drawn(begins, wanted, len(batch)).tolist())
    closing = set(begins.tolist())
    for first, end in itertools.pairwise(cuts.tolist()):
        closes = int(needed[first + 1]) if first in closing else None
        yield _Day(first, end, closes, closes is not None and next(draws))


def _drawn(begins: NDArray[np.intp], wanted: UInt8s, count: int) -> NDArray[np.bool_]:
    """Which of the tables closed before the transfers `begins` have to be drawn: a wanted one comes while it is held,
    or it is held at the end."""
    if len(wanted) == 0:
        return np.ones(len(begins), np.bool_)
    until = np.append(begins, np.full(TABLES_KEPT, count))[TABLES_KEPT:]
    before = np.append(0, np.cumsum(wanted != 0))
    found: NDArray[np.bool_] = (before[until] > before[begins]) | (np.arange(len(begins)) >= len(begins) - TABLES_KEPT)
    return found
