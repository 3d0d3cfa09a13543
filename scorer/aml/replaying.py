"""Transfers of a file taken in as a stream would bring them: rows, typologies and raw alerts, piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.batch import Status
from models.graph.daily import compute_daily
from rules.typologies.pack import TypologyPack
from scorer.aml.places import Places
from scorer.aml.raising import ScoredTransfers
from scorer.aml.state_files import TransferState
from streams.alert import RawAlert

ROWS_PER_CALL = 8_192


@dataclass(frozen=True, slots=True)
class ReplayedTransfers:
    """A piece of the stream without repeated transfers: their rows (sender's at 2i, receiver's at 2i + 1), each row's
    market number, and the raw alerts they raised."""

    scored: ScoredTransfers
    market: NDArray[np.int32]
    alerts: list[RawAlert]

    @property
    def is_raised(self) -> NDArray[np.bool_]:
        """Whether a transfer raised an alert, bool [n]."""
        raised = {alert.raised_by for alert in self.alerts}
        ids = self.scored.event_ids
        return np.fromiter((name in raised for name in ids), np.bool_, len(ids))


def replay_transfers(state: TransferState, pack: TypologyPack, transfers: pa.Table) -> Iterator[ReplayedTransfers]:
    """Take transfers (TRANSFER_SCHEMA, in the order of arrival) into the state; any cut gives the same rows."""
    places = Places.of(state.graph, state.accounts)
    for start in range(0, len(transfers), ROWS_PER_CALL):
        part = transfers.slice(start, ROWS_PER_CALL)
        batch = state.graph.code_table(part)
        block = compute_daily(state.graph, state.ledger, batch)
        kept = np.asarray(block.status != Status.REPEATED)
        rows = np.repeat(kept, 2)
        place = places.of_sides(batch)[rows]
        ids = part["event_id"].filter(pa.array(kept)).to_pylist()
        market, values = state.raiser.market_of(place), block.values[rows]
        scored = ScoredTransfers(ids, batch.time_ns[kept], place, values, pack.score(values, market))
        yield ReplayedTransfers(scored, market, state.raiser.take(scored))
