"""Transfers in process: JSON in, JSON of decisions out, as a worker goes the way between its topics.

The floor is what no scorer with these features and typologies is spared: decoding, the graph kernel on coded transfers,
the typologies' scores, encoding as many decisions. The model is a stand-in that costs nothing on either side.
"""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.by_turns import by_turns, note_rate
from models.bundle import Thresholds
from models.calibration import UNCALIBRATED
from models.graph.daily import compute_daily
from models.graph.link_ledger import LinkLedger
from models.graph.markets import every_market
from models.graph.state import GraphState
from models.onnx_model import ModelOutput
from rules.typologies.pack import SHIPPED, TypologyPack
from scorer.aml.assembly import load_packs
from scorer.aml.pipeline import TransferParts, TransferPipeline
from scorer.aml.places import Places
from scorer.aml.raising import AlertRaiser
from scorer.aml.reading import read_transfers
from scorer.counters import Counters
from scorer.guarded_model import Guarded
from streams.codec import decode_transfers, encode_decision, encode_events, table_to_transfers
from streams.markets import CURRENCY_RATES
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlTables, AmlWorld

BATCH = 64
HISTORY_DAYS, STREAM = 30, 40_000
CURRENCIES = frozenset(CURRENCY_RATES)
WHOLE_MAX = {1: (5.5, 5.5), BATCH: (2.1, 8.0)}
"""In micro-batches, one in a hundred meets the end of a day, whose table is drawn beside it."""


class NoModel:
    """Gives every row the same margin."""

    def score(self, values: NDArray[np.float32]) -> Guarded:
        same = np.full(len(values), -5.0, np.float32)
        return Guarded(ModelOutput(same, same))


@pytest.fixture(scope="module")
def tables() -> AmlTables:
    return AmlWorld(AmlWorldConfig(customers=1_000), 3).generate(HISTORY_DAYS, STREAM)


@pytest.fixture(scope="module")
def pack() -> TypologyPack:
    return load_packs(SHIPPED)


def warm(tables: AmlTables) -> tuple[GraphState, LinkLedger]:
    state, ledger = GraphState(tables.accounts, every_market()), LinkLedger()
    compute_daily(state, ledger, state.code_table(tables.history_events))
    return state, ledger


@pytest.fixture
def pipeline(tables: AmlTables, pack: TypologyPack) -> Iterator[TransferPipeline]:
    state, ledger = warm(tables)
    parts = TransferParts(
        state,
        ledger,
        Places.of(state, tables.accounts),
        pack,
        AlertRaiser(pack, tables.accounts),
        NoModel(),
        UNCALIBRATED,
        Thresholds(0.5, 0.9),
        "none",
    )
    made = TransferPipeline(parts, clock_ns=time.monotonic_ns, worker="w", counters=Counters())
    yield made
    made.evening.close()


def messages(tables: AmlTables, count: int) -> Callable[[], list[bytes]]:
    """The next ones of the stream, each time it is called."""
    stream = iter(encode_events(tables.stream_events))
    return lambda: list(islice(stream, count))


def answered(pipeline: TransferPipeline, values: list[bytes]) -> list[bytes]:
    """From bytes to bytes."""
    taken = read_transfers(values, lambda _: None, CURRENCIES)  # type: ignore[arg-type, return-value]
    return [encode_decision(each) for each in pipeline.answer(taken.transfers, time.monotonic_ns()).decisions]


def floor(tables: AmlTables, pack: TypologyPack, pipeline: TransferPipeline, count: int) -> Callable[[Any], object]:
    """See the module."""
    state, _ = warm(tables)
    transfers = table_to_transfers(tables.stream_events)
    batches = iter([state.code_events(transfers[at : at + count]) for at in range(0, len(transfers), count)])
    decisions = list(pipeline.answer(transfers[:count], time.monotonic_ns()).decisions)
    market = np.zeros(2 * count, np.int32)

    def spared_nobody(values: list[bytes]) -> None:
        decode_transfers(values)
        pack.score(state.compute(next(batches)).values, market)
        for decision in decisions:
            encode_decision(decision)

    return spared_nobody


@pytest.mark.parametrize("count", [1, BATCH])
def test_messages_to_decisions(benchmark: Any, tables: AmlTables, pipeline: TransferPipeline, count: int) -> None:
    following = messages(tables, count)
    benchmark.pedantic(lambda values: answered(pipeline, values), setup=lambda: ((following(),), {}), rounds=200)
    note_rate(benchmark, "transfers", count)
    assert pipeline.counters.repeated == 0


@pytest.mark.parametrize(("count", "rounds"), [(1, 1_000), (BATCH, 200)])
def test_beside_what_no_scorer_is_spared(
    tables: AmlTables, pack: TypologyPack, pipeline: TransferPipeline, count: int, rounds: int
) -> None:
    spared_nobody, following = floor(tables, pack, pipeline, count), messages(tables, count)
    turns = by_turns(lambda values: answered(pipeline, values), spared_nobody, rounds, following)
    turns.hold("the floor", *WHOLE_MAX[count])
