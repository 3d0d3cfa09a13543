"""The warm state's directory of transfers: what a worker starts from."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.features.snapshot import read_snapshot, write_snapshot
from models.graph.link_ledger import LinkLedger
from models.graph.state import GraphState
from rules.typologies.pack import TypologyPack
from scorer.aml.raising import SNAPSHOT_LAYOUT, AlertRaiser
from streams.account import ACCOUNT_SCHEMA
from streams.errors import BadInputError

GRAPH, LINKS, ALERTS, ACCOUNTS = "graph.state", "links.state", "alerts.state", "accounts.parquet"
ALERTS_KIND = "alert state"
_AGAIN = "make it again with `python -m scorer warm --domain aml`"


@dataclass(frozen=True, slots=True)
class TransferState:
    """Graph, links of the week, raised alerts, and the accounts (ACCOUNT_SCHEMA) they are about."""

    graph: GraphState
    ledger: LinkLedger
    raiser: AlertRaiser
    accounts: pa.Table

    def save(self, directory: Path, offsets: dict[str, int] | None = None) -> None:
        """Write all of it but the accounts. Raises `BadInputError` when a file cannot be written."""
        given = offsets or {}
        self.graph.save(directory / GRAPH, given)
        self.ledger.save(directory / LINKS, given)
        settings, arrays = self.raiser.snapshot()
        write_snapshot(directory / ALERTS, ALERTS_KIND, settings, given, arrays)


def load_state(directory: Path, pack: TypologyPack) -> TransferState:
    """The state at the end of history. Raises `BadInputError` when a file of it is missing or damaged."""
    accounts = read_accounts(directory / ACCOUNTS)
    graph, ledger = GraphState.load(directory / GRAPH)[0], LinkLedger.load(directory / LINKS)[0]
    raiser = AlertRaiser(pack, accounts)
    found = read_snapshot(directory / ALERTS, ALERTS_KIND, SNAPSHOT_LAYOUT)
    raiser.restore(found.settings, found.arrays)
    return TransferState(graph, ledger, raiser, accounts)


def read_accounts(path: Path) -> pa.Table:
    """A Parquet file of accounts. Raises `BadInputError` naming it and the column that lacks."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"{path} cannot be read as Parquet: {error}; {_AGAIN}") from error
    absent = [name for name in ACCOUNT_SCHEMA.names if name not in table.column_names]
    if absent:
        raise BadInputError(f"{path} lacks column {', '.join(absent)}")
    return table.select(ACCOUNT_SCHEMA.names).cast(ACCOUNT_SCHEMA).combine_chunks()
