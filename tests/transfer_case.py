"""A small world for tests of the scorer of transfers: a bundle, a warm state, and a stream over several days.

The stream has late and repeated transfers.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.aml.history import TransferFiles
from models.aml.settings import AML_BOOSTING, AmlTrainSettings
from models.aml.train import train_aml_bundle
from models.fitting import FitSettings
from rules.typologies.pack import SHIPPED
from scorer.aml.warm import TransferWarmInput, warm_transfers
from streams.labels import NS_PER_DAY
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlWorld
from tests.unit.models.aml.laundering_history import START_NS, easy_history

TRANSFERS = 1_200
HISTORY_DAYS = 6
FIT = FitSettings(seed=3, nthread=1, boosting=dataclasses.replace(AML_BOOSTING, rounds_max=20))


@dataclass(frozen=True)
class TransferCase:
    """Where everything is. `stream` is in arrival order; `repeated` of its rows are second sendings."""

    bundle: Path
    rules: Path
    state: Path
    stream: pa.Table
    repeated: int
    events_file: Path


def _arrivals(rows: int, seed: int) -> tuple[list[int], int]:
    """Rows in the order they are sent: one in fifteen comes late, one in forty is sent a second time."""
    rng = np.random.default_rng(seed)
    moments = np.arange(rows) + np.where(rng.random(rows) < 1 / 15, rng.integers(1, 60, rows), 0)
    again = np.flatnonzero(rng.random(rows) < 1 / 40)
    sent = np.concatenate([np.arange(rows), again])
    moments = np.concatenate([moments, moments[again] + rng.integers(1, 80, len(again))])
    return sent[np.argsort(moments, kind="stable")].tolist(), len(again)


def build_transfer_case(folder: Path) -> TransferCase:
    """Train, warm up, and write the stream's files under `folder`."""
    easy, names = easy_history(), ("events", "labels", "accounts", "members")
    files = TransferFiles(*(folder / f"{name}.parquet" for name in names))
    for path, table in zip(files.paths(), (easy.transfers, easy.laundering, easy.accounts, easy.members), strict=True):
        pq.write_table(table, path)
    settings = AmlTrainSettings(from_ns=START_NS + 2 * NS_PER_DAY, validation_share=0.35, fit=FIT, genuine_share=0.5)
    train_aml_bundle(files, folder / "bundle", settings)
    tables = AmlWorld(AmlWorldConfig(customers=300, laundering_share=0.02), 3).generate(HISTORY_DAYS, TRANSFERS)
    history, accounts = folder / "history.parquet", folder / "known.parquet"
    pq.write_table(tables.history_events, history)
    pq.write_table(tables.accounts, accounts)
    until_ns = int(tables.history_events["event_time_ns"][-1].as_py()) + 1
    source = TransferWarmInput(
        bundle=folder / "bundle",
        rules=SHIPPED,
        events=history,
        accounts=accounts,
        until_ns=until_ns,
        reference_from_ns=until_ns - 3 * NS_PER_DAY,
    )
    warm_transfers(source, folder / "state")
    order, repeated = _arrivals(TRANSFERS, seed=6)
    stream = tables.stream_events.take(order)
    pq.write_table(stream, folder / "stream.parquet")
    return TransferCase(folder / "bundle", SHIPPED, folder / "state", stream, repeated, folder / "stream.parquet")
