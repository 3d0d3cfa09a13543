"""A stream with its nightly job in one: features with the community table of the evening before."""

import itertools

import numpy as np

from models.features.batch import FeatureBlock
from models.graph.batch import TransferBatch
from models.graph.catalog import AML_FEATURES
from models.graph.link_ledger import LinkLedger
from models.graph.state import GraphState
from streams.labels import NS_PER_DAY


def compute_daily(state: GraphState, ledger: LinkLedger, batch: TransferBatch) -> FeatureBlock:
    """As `GraphState.compute`; before the first transfer of a calendar day, the table of the day before is closed and
    installed. Any split into batches gives the same rows."""
    values = np.empty((2 * len(batch), len(AML_FEATURES)), np.float32)
    status = np.zeros(len(batch), np.uint8)
    needed = np.maximum.accumulate(np.append(ledger.last_closed, batch.time_ns // NS_PER_DAY - 1))
    begins = np.flatnonzero(np.diff(needed) > 0).tolist()
    cuts = sorted({0, *begins, len(batch)})
    for first, end in itertools.pairwise(cuts):
        if needed[first + 1] > ledger.last_closed:
            state.install(ledger.close(int(needed[first + 1]), state.names_of))
        state.compute_into(batch, values, status, first, end)
        ledger.observe(batch.take(slice(first, end)), status[first:end])
    return FeatureBlock(values, status)
