"""The warm state's directory of transfers: what a worker starts from."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.features.snapshot import DIGEST_BYTES, Layout, read_snapshot, write_snapshot
from models.graph.followed import Followed
from models.graph.link_ledger import SNAPSHOT_LAYOUT as LINK_LAYOUT
from models.graph.link_ledger import LedgerSettings, LinkLedger
from models.graph.state import SNAPSHOT_LAYOUT as GRAPH_LAYOUT
from models.graph.state import GraphSettings, GraphState
from rules.typologies.pack import TypologyPack
from scorer.aml.raising import SNAPSHOT_LAYOUT, AlertRaiser, RaisedSettings
from streams.account import ACCOUNT_SCHEMA
from streams.errors import BadInputError

GRAPH, LINKS, ALERTS, ACCOUNTS = "graph.state", "links.state", "alerts.state", "accounts.parquet"
ALERTS_KIND = "alert state"
_AGAIN = "make it again with `python -m scorer warm --domain aml`"


class StateSettings(msgspec.Struct, frozen=True):
    """What a snapshot of all of it says beside its arrays."""

    graph: GraphSettings
    links: LedgerSettings
    alerts: RaisedSettings


STATE_LAYOUT = Layout(StateSettings, {**GRAPH_LAYOUT.arrays, **LINK_LAYOUT.arrays, **SNAPSHOT_LAYOUT.arrays})


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

    @classmethod
    def restore(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], pack: TypologyPack, accounts: pa.Table
    ) -> "TransferState":
        """The state that `snapshot_of` gave, of these accounts; the arrays become its own.

        Raises `SnapshotError` when it was made with other typologies or accounts."""
        raiser = AlertRaiser(pack, accounts)
        raiser.restore(settings["alerts"], arrays)
        graph = GraphState.restore(settings["graph"], arrays)
        return cls(graph, LinkLedger.restore(settings["links"], arrays), raiser, accounts)


def snapshot_of(
    graph: GraphState, ledger: LinkLedger, raiser: AlertRaiser
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """All of it but the accounts as settings (JSON) and arrays by name (`STATE_LAYOUT`), those of the state itself:
    copy what is to last."""
    parts = {"graph": graph.snapshot(), "links": ledger.snapshot(), "alerts": raiser.snapshot()}
    settings = {name: settings for name, (settings, _) in parts.items()}
    return settings, {name: array for _, arrays in parts.values() for name, array in arrays.items()}


def followed_of(graph: GraphState, ledger: LinkLedger, raiser: AlertRaiser) -> list[Followed]:
    """Those arrays of `snapshot_of` that are marked where they are written to, for the one that keeps a copy; asked for
    at no cost."""
    return [graph.followed(), ledger.followed(), raiser.followed()]


def digest_of_state(directory: Path) -> str:
    """What tells one warm state from another: of the checksums its files end with. Raises `BadInputError` when one is
    missing."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in (GRAPH, LINKS, ALERTS):
        try:
            with (directory / name).open("rb") as file:
                file.seek(-DIGEST_BYTES, os.SEEK_END)
                digest.update(file.read())
        except OSError as error:
            raise BadInputError(f"state file {directory / name} cannot be read: {error.strerror}; {_AGAIN}") from error
    return digest.hexdigest()


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
