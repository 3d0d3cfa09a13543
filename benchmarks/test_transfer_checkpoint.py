"""What a checkpoint of transfers costs the thread that decides: the pause of a cut, and the micro-batches beside the
thread that writes. Printed with `--log-cli-level=info`."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.graph.followed import Followed
from models.graph.link_ledger import LinkLedger
from models.kernels.sparse_graph import graph_state, sparse_transfers
from rules.typologies.pack import SHIPPED
from scorer.aml.assembly import load_packs
from scorer.aml.copies import Copies
from scorer.aml.keeping import AHEAD_GROUPS, PAUSES_APART
from scorer.aml.raising import AlertRaiser
from scorer.aml.state_files import followed_of, snapshot_of
from scorer.aml.whole_files import Whole, WholeFiles
from scorer.checkpoint.epochs import Identity, Progress
from streams.account import ACCOUNT_SCHEMA

log = logging.getLogger("riskbench.benchmarks")

ACCOUNTS, TRANSFERS, DAYS = 10_000, 300_000, 30.0
BATCH = 8
ROUNDS = 9
BETWEEN, AHEAD = 1_000, 250
"""Micro-batches between two cuts, and those before the second after which something is copied ahead of it."""
PAUSE_MAX = 0.2
"""Of a cut over copying the whole state, both into memory that was used before."""
BESIDE_MAX = 3.0
"""Of a micro-batch's median while a checkpoint is being written over the same with nothing beside it: with one core for
both it is twice as long."""


class Held:
    """A state as large as that of the shipped scenario."""

    def __init__(self) -> None:
        self.graph, self.ledger = graph_state(ACCOUNTS), LinkLedger()
        rows = [f"{code}" for code in range(ACCOUNTS)]
        accounts = pa.table(
            [
                pa.array(rows, field.type) if field.name in ("account_id", "customer_id") else _same(field)
                for field in ACCOUNT_SCHEMA
            ],
            schema=ACCOUNT_SCHEMA,
        )
        self.raiser = AlertRaiser(load_packs(SHIPPED), accounts)
        self.batch = sparse_transfers(TRANSFERS + 200_000, ACCOUNTS, DAYS)
        first = self.batch.take(slice(0, TRANSFERS))
        self.ledger.observe(first, self.graph.compute(first).status)
        self.at = TRANSFERS

    def snapshot(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return snapshot_of(self.graph, self.ledger, self.raiser)

    def followed(self) -> list[Followed]:
        return followed_of(self.graph, self.ledger, self.raiser)

    def cut(self, copies: Copies) -> dict[str, Any]:
        return copies.take(self.snapshot()[1], self.followed())

    def decide(self) -> float:
        """Seconds for the graph features of a micro-batch."""
        batch = self.batch.take(slice(self.at, self.at + BATCH))
        self.at += BATCH
        begin = time.perf_counter()
        self.ledger.observe(batch, self.graph.compute(batch).status)
        return time.perf_counter() - begin


def _same(field: pa.Field) -> pa.Array:
    value: Any = {pa.bool_(): False, pa.int64(): 0, pa.int8(): 1}.get(field.type, "US")
    return pa.array([value] * ACCOUNTS, field.type)


@pytest.fixture(scope="module")
def held() -> Held:
    return Held()


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def test_the_pause_of_a_cut_is_a_fraction_of_a_copy(held: Held) -> None:
    copies = Copies()
    held.cut(copies)
    pauses, aheads, wholes = [], list[float](), []
    for _ in range(ROUNDS):
        copies.widen()
        for _ in range(BETWEEN - AHEAD):
            held.decide()
        for _ in range(AHEAD):
            held.decide()
            aheads.append(seconds(lambda: copies.copy_ahead(held.followed(), AHEAD_GROUPS)))
        pauses.append(seconds(lambda: held.cut(copies)))
        wholes.append(whole_copy(held.snapshot()[1]))
    size = sum(array.nbytes for array in held.snapshot()[1].values())
    pause, whole = float(np.median(pauses)), float(np.median(wholes))
    log.info(
        "%d accounts, %d transfers, %.0f MiB: a cut pauses for %.2f ms (longest of %d: %.2f), a whole copy takes %.1f; "
        "copying ahead %.2f (P99 %.2f) between two micro-batches; one cut in %.1f s at most",
        ACCOUNTS, TRANSFERS, size / 2**20, pause * 1e3, ROUNDS, max(pauses) * 1e3, whole * 1e3,
        np.median(aheads) * 1e3, np.percentile(aheads, 99) * 1e3, PAUSES_APART * pause,
    )  # fmt: skip
    assert pause < PAUSE_MAX * whole


def whole_copy(arrays: dict[str, Any]) -> float:
    """Seconds for copying all of it into memory that was used before."""
    into = {name: np.ones_like(array) for name, array in arrays.items()}

    def copy() -> None:
        for name, array in arrays.items():
            np.copyto(into[name], array)

    return seconds(copy)


def test_micro_batches_beside_the_thread_that_writes(held: Held, tmp_path: Path) -> None:
    files = WholeFiles(tmp_path, Identity("t.transfers", "g", "m", "f", "w"))
    epoch, copies = files.begin_epoch(None), Copies()
    settings, arrays = held.snapshot()
    copied = copies.take(arrays, held.followed())
    alone = [held.decide() for _ in range(3_000)][1_000:]
    written = []

    def write() -> None:
        for number in range(1, 5):
            whole = Whole(epoch, number, Progress(number, {}), settings, copied)
            written.append(seconds(lambda whole=whole: files.write(whole)))  # type: ignore[misc]

    thread = threading.Thread(target=write)
    thread.start()
    beside = []
    while thread.is_alive():
        beside.append(held.decide())
        time.sleep(0.002)
    thread.join()
    log.info(
        "a micro-batch of %d: median %.0f us alone, %.0f beside the writer; P99 %.0f and %.0f; written in %.2f s",
        BATCH, np.median(alone) * 1e6, np.median(beside) * 1e6, np.percentile(alone, 99) * 1e6,
        np.percentile(beside, 99) * 1e6, np.median(written),
    )  # fmt: skip
    assert np.median(beside) < BESIDE_MAX * np.median(alone)
