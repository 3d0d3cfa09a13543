"""Event time standing still: nothing at or after the hold is decided before the plan says so, and nothing is lost."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from models.features.ledger import RiskLedger
from scorer.day_closing import DayCloser
from scorer.engines.inline import InlineDecider
from scorer.engines.inprocess import InprocessEngine, Input
from scorer.inline_tables import InlineTables
from scorer.rollout.holding import Holding
from scorer.table_feed import TableGate
from streams.codec import decode_decision
from streams.transaction import TRANSACTION_SCHEMA
from tests.unit.scorer.rollout.case import Bench, plan, step
from tests.unit.scorer.test_inprocess import Never
from tests.unit.scorer.test_pipeline import event

STEPS = step("shadow", 20), step("full", 40)


class Ticks:
    """A clock that goes on with every look, and by what is slept."""

    def __init__(self, step_ns: int) -> None:
        self.now_ns, self.step_ns = 0, step_ns

    def __call__(self) -> int:
        self.now_ns += self.step_ns
        return self.now_ns


@pytest.mark.parametrize("batch_max", [1, 7, 64])
@pytest.mark.parametrize("paced", [False, True])
def test_each_step_is_told_while_event_time_stands_still(tmp_path: Path, batch_max: int, paced: bool) -> None:
    clock = Ticks(100_000_000 if paced else 1_000)  # so that what paces the engine falls due at once
    bench, out = Bench(tmp_path, plan(hold_hour=15)), tmp_path / "d.jsonl"
    rows = [msgspec.to_builtins(event(n, 500 + 7 * n, card=f"card-{n % 5}")) for n in range(1, 61)]
    table = pa.Table.from_pylist(rows, schema=TRANSACTION_SCHEMA)
    tables = InlineTables(DayCloser(RiskLedger.empty(7), 19_998), [])
    gate = TableGate(tables, bench.pipeline, clock)
    next_plans = [plan(*STEPS[:1], hold_hour=35), plan(*STEPS)]
    decided: list[int] = []

    def sleep(seconds: float) -> None:
        clock.now_ns += round(seconds * 1e9)
        told = bench.rollout.summary()
        assert told["holding_at_ns"] == told["hold_event_time_ns"]
        decided.append(len(out.read_bytes().splitlines()))
        if len(decided) % 2 == 0:
            bench.tell(next_plans.pop(0))

    holding = Holding(bench.rollout, clock, sleep)
    source = Input(table, np.zeros(len(table), np.int64) if paced else None, out)
    decider = InlineDecider(bench.pipeline, tables, gate, clock)
    engine = InprocessEngine(source, decider, clock_ns=clock, batch_max=batch_max, holding=holding)
    engine.run(Never(), lambda start_ns=None: None)
    found = [decode_decision(line) for line in out.read_bytes().splitlines()]
    assert [each.event_id for each in found] == [f"e{n}" for n in range(1, 61)]
    assert [each.shadow is not None for each in found] == [20 <= n < 40 for n in range(1, 61)]
    assert [each.model_version for each in found] == ["model-1"] * 39 + ["model-a"] * 21
    assert decided == [14, 14, 34, 34]
    told = bench.rollout.summary()
    assert (told["holding_at_ns"], told["late_steps"]) == (None, 0)
    assert told["held_ms"] == holding.held_ns / 1e6 >= 20
    assert msgspec.json.encode(told)
