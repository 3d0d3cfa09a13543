"""Transfers decided: one decision each, the same however they are cut into batches, ranked by rules when the model
gives nothing."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

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
from scorer.counters import Counters
from scorer.explaining import Scored
from scorer.guarded_model import Fallback, Guarded
from streams.alert import RawAlert
from streams.codec import table_to_transfers
from streams.decision import Decision
from streams.transfer import Transfer
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlTables, AmlWorld

Answers = tuple[list[Decision], list[RawAlert]]


@pytest.fixture(scope="module")
def tables() -> AmlTables:
    return AmlWorld(AmlWorldConfig(customers=300, laundering_share=0.01), 3).generate(3, 1_500)


@pytest.fixture(scope="module")
def pack() -> TypologyPack:
    return load_packs(SHIPPED)


@dataclass
class Model:
    """A margin that grows with the second feature; nothing where it is broken."""

    broken: bool = False

    def score(self, values: NDArray[np.float32]) -> Guarded:
        if self.broken:
            return Guarded(None, Fallback("failed", "on purpose"))
        return Guarded(ModelOutput(np.nan_to_num(values[:, 1]) - 4, np.full(len(values), np.nan, np.float32)))


@dataclass
class Submitted:
    rows: list[str] = field(default_factory=list)

    def submit(self, rows: Scored) -> None:
        self.rows += rows.event_ids


def pipeline(tables: AmlTables, pack: TypologyPack, *, broken: bool = False) -> TransferPipeline:
    state, ledger = GraphState(tables.accounts, every_market()), LinkLedger()
    compute_daily(state, ledger, state.code_table(tables.history_events))
    parts = TransferParts(
        state,
        ledger,
        Places.of(state, tables.accounts),
        pack,
        AlertRaiser(pack, tables.accounts),
        Model(broken),
        UNCALIBRATED,
        Thresholds(0.5, 0.9),
        "m",
    )
    ticks = itertools.count()
    return TransferPipeline(parts, clock_ns=lambda: next(ticks), worker="w", counters=Counters())


def answered(made: TransferPipeline, transfers: Sequence[Transfer], size: int) -> Answers:
    decisions: list[Decision] = []
    alerts: list[RawAlert] = []
    for start in range(0, len(transfers), size):
        found = made.answer(transfers[start : start + size], 0)
        decisions += found.decisions
        alerts += found.alerts
    made.evening.close()
    return decisions, alerts


def without_instants(decision: Decision) -> tuple[object, ...]:
    return (
        *(decision.event_id, decision.outcome, decision.score, decision.path, decision.margin),
        *(decision.features, tuple(map(repr, decision.customers)), tuple(map(repr, decision.reasons))),
    )


def test_any_batches_give_the_same_decisions_and_alerts(tables: AmlTables, pack: TypologyPack) -> None:
    transfers = table_to_transfers(tables.stream_events)
    whole, alerts = answered(pipeline(tables, pack), transfers, len(transfers))
    cut, alerts_of_cut = answered(pipeline(tables, pack), transfers, 7)
    assert [decision.event_id for decision in whole] == [transfer.event_id for transfer in transfers]
    assert list(map(without_instants, cut)) == list(map(without_instants, whole))
    assert alerts_of_cut == alerts
    assert alerts, "the world has laundering in it"


def test_rows_are_those_that_training_sees(tables: AmlTables, pack: TypologyPack) -> None:
    """The evening's tables are drawn beside the stream, and yet are those of the nightly job in one."""
    made = pipeline(tables, pack)
    decisions, _ = answered(made, table_to_transfers(tables.stream_events), 64)
    both = pa.concat_tables([tables.history_events, tables.stream_events]).unify_dictionaries()
    state = GraphState(tables.accounts, every_market())
    values = compute_daily(state, LinkLedger(), state.code_table(both)).values[2 * len(tables.history_events) :]
    wanted = values.reshape(len(decisions), 2, -1)
    for transfer, decision in enumerate(decisions):
        if decision.features is not None:
            row = np.frombuffer(decision.features, "<f4")
            assert any(np.array_equal(row, side, equal_nan=True) for side in wanted[transfer])
    assert made.counters.tables_installed > 0
    assert made.counters.stale_tables == 0


def test_without_the_model_rules_rank(tables: AmlTables, pack: TypologyPack) -> None:
    made = pipeline(tables, pack, broken=True)
    decisions, alerts = answered(made, table_to_transfers(tables.stream_events), 50)
    raised = {alert.raised_by for alert in alerts}
    assert {decision.path for decision in decisions} <= {"fallback", "rules"}
    for decision in decisions:
        assert decision.outcome == ("review" if decision.event_id in raised else "approve")
        assert decision.margin is None
        assert decision.score == max((customer.rule_score for customer in decision.customers), default=0.0)
        assert decision.path == ("fallback" if decision.customers else "rules")


def test_a_transfer_scores_as_its_more_suspicious_customer(tables: AmlTables, pack: TypologyPack) -> None:
    decisions, alerts = answered(pipeline(tables, pack), table_to_transfers(tables.stream_events), 50)
    raised = {alert.raised_by for alert in alerts}
    for decision in decisions:
        assert decision.score == max((customer.score for customer in decision.customers), default=0.0)
        # the threshold 0.5 of an uncalibrated model: a margin of 0
        by_model = any(customer.margin is not None and customer.margin >= 0 for customer in decision.customers)
        flagged = by_model or decision.event_id in raised
        assert decision.outcome == ("review" if flagged else "approve")
        assert all(customer.score >= 0.02 * customer.rule_score for customer in decision.customers)


def test_repeated_transfers_get_one_decision(tables: AmlTables, pack: TypologyPack) -> None:
    transfers = table_to_transfers(tables.stream_events)[:200]
    made = pipeline(tables, pack)
    decisions, _ = answered(made, [*transfers, *transfers[50:60]], 30)
    assert [decision.event_id for decision in decisions] == [transfer.event_id for transfer in transfers]
    assert made.counters.repeated == 10


def test_flagged_transfers_are_explained(tables: AmlTables, pack: TypologyPack) -> None:
    made, explained = pipeline(tables, pack), Submitted()
    made.explain_by(explained)
    decisions, _ = answered(made, table_to_transfers(tables.stream_events), 50)
    flagged = [each.event_id for each in decisions if each.outcome == "review" and each.path == "model"]
    assert explained.rows == flagged != []


@dataclass
class Overdue:
    """A model that never answers in time, and who waits for what it comes to."""

    called_for: list[NDArray[np.float32]] = field(default_factory=list)
    expected: list[tuple[NDArray[np.float32], Sequence[str]]] = field(default_factory=list)

    def score(self, values: NDArray[np.float32]) -> Guarded:
        self.called_for.append(values)
        return Guarded(None, Fallback("overdue", "on purpose"))

    def expect(self, rows: NDArray[np.float32], event_ids: Sequence[str]) -> None:
        self.expected.append((rows, event_ids))


def test_late_scores_are_waited_for_by_the_rows_of_their_call(tables: AmlTables, pack: TypologyPack) -> None:
    model, made = Overdue(), pipeline(tables, pack)
    made.parts = replace(made.parts, guard=model)
    made.keep_late_scores(model)
    transfers = table_to_transfers(tables.stream_events)[:400]
    answered(made, transfers, 1)
    rows = [rows for rows, _ in model.expected]
    assert len(rows) == len(model.called_for) > 0
    assert all(one is other for one, other in zip(rows, model.called_for, strict=True))
    assert {len(each) for each in rows} == {1, 2}
    assert all(len(each) == len(ids) for each, ids in model.expected)
