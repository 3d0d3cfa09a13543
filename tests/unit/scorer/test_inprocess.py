"""The in-process engine at its edges."""

from pathlib import Path

import numpy as np
import pytest

from models.features.ledger import RiskLedger
from scorer.day_closing import DayCloser
from scorer.engines.inline import InlineDecider
from scorer.engines.inprocess import InprocessEngine, Input
from scorer.inline_tables import InlineTables
from scorer.table_feed import TableGate
from streams.transaction import TRANSACTION_SCHEMA
from tests.unit.scorer.test_pipeline import make_pipeline


class Never:
    """Nobody asks to end."""

    def is_set(self) -> bool:
        return False

    def set(self) -> None:
        raise AssertionError


@pytest.mark.parametrize("paced", [False, True])
def test_a_stream_without_events_is_ready_and_ends(tmp_path: Path, paced: bool) -> None:
    pipeline = make_pipeline()
    tables = InlineTables(DayCloser(RiskLedger.empty(7), 0), [])
    source = Input(TRANSACTION_SCHEMA.empty_table(), np.zeros(0, np.int64) if paced else None, tmp_path / "d.jsonl")
    gate = TableGate(tables, pipeline, lambda: 5)
    told: list[int | None] = []

    def ready(start_ns: int | None = None) -> None:
        told.append(start_ns)

    decider = InlineDecider(pipeline, tables, gate, lambda: 5)
    engine = InprocessEngine(source, decider, clock_ns=lambda: 5, batch_max=10)
    engine.run(Never(), ready)
    assert len(told) == 1
    assert (tmp_path / "d.jsonl").read_bytes() == b""
