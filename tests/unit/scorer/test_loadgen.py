"""The engine that MLPerf LoadGen drives: every query is answered, by the event whose turn it is."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from models.features.ledger import RiskLedger
from scorer.day_closing import DayCloser
from scorer.engines import loadgen as engine
from scorer.engines.inline import InlineDecider
from scorer.engines.inprocess import Input
from scorer.engines.loadgen import LoadgenEngine, Queries
from scorer.inline_tables import InlineTables
from scorer.options import LoadgenLoad
from scorer.table_feed import TableGate
from streams.codec import decode_decision
from streams.decision import Decision
from streams.errors import BadInputError
from streams.transaction import TRANSACTION_SCHEMA, CardTransaction
from tests.unit.scorer.test_inprocess import Never
from tests.unit.scorer.test_pipeline import make_pipeline


class Asked(Never):
    """Somebody asked to end."""

    def is_set(self) -> bool:
        return True


def event(name: str) -> CardTransaction:
    return CardTransaction(event_id=name, event_time_ns=1, card_id="card", amount_minor=1, currency="EUR")


class Case:
    """Queries over events a, b, c, d; notes what was decided together and completed."""

    def __init__(self, stop: Never | None = None, *, silent: str = "", broken: str = "", batch_max: int = 10) -> None:
        self.together: list[str] = []
        self.completed: list[int] = []
        self._silent, self._broken = silent, broken
        self.out = io.BytesIO()
        events = [event(name) for name in "abcd"]
        self.queries = Queries(events, self.decide, self.completed.append, self.out, stop or Never(), batch_max)

    def decide(self, events: Sequence[CardTransaction]) -> Iterator[Decision]:
        names = "".join(each.event_id for each in events)
        self.together.append(names)
        for name in names:
            if name == self._broken:
                raise RuntimeError(name)
            if name != self._silent:
                yield Decision(event_id=name, outcome="approve", score=0.0, path="rules")

    @property
    def written(self) -> str:
        return "".join(decode_decision(line).event_id for line in self.out.getvalue().splitlines())


def test_the_kth_query_is_the_kth_event() -> None:
    case = Case()
    case.queries.answer([70])
    case.queries.answer([9, 8, 7])
    assert (case.together, case.completed, case.written) == (["a", "bcd"], [70, 9, 8, 7], "abcd")


def test_what_falls_due_together_is_decided_in_micro_batches() -> None:
    case = Case(batch_max=3)
    case.queries.answer([1, 2, 3, 4])
    assert (case.together, case.completed) == (["abc", "d"], [1, 2, 3, 4])


def test_a_query_without_a_decision_is_completed_and_not_written() -> None:
    case = Case(silent="b")
    case.queries.answer([1, 2, 3, 4])
    assert sorted(case.completed) == [1, 2, 3, 4]
    assert case.written == "acd"


def test_an_error_is_kept_and_leaves_no_query_open() -> None:
    case = Case(broken="b")
    case.queries.answer([1, 2])
    case.queries.answer([3, 4])
    assert isinstance(case.queries.failure, RuntimeError)
    assert (case.completed, case.written, case.together) == ([1, 2, 3, 4], "a", ["ab"])


def test_once_asked_to_end_nothing_is_decided() -> None:
    case = Case(Asked())
    case.queries.answer([1, 2])
    assert (case.together, case.completed) == ([], [1, 2])


def test_a_stream_without_events_is_refused(tmp_path: Path) -> None:
    pipeline = make_pipeline()
    tables = InlineTables(DayCloser(RiskLedger.empty(7), 0), [])
    decider = InlineDecider(pipeline, tables, TableGate(tables, pipeline, lambda: 5), lambda: 5)
    source = Input(TRANSACTION_SCHEMA.empty_table(), None, tmp_path / "d.jsonl")
    with pytest.raises(BadInputError, match="no event"):
        LoadgenEngine(source, decider, LoadgenLoad(tmp_path), batch_max=10)


def test_without_loadgen_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MODULE", "no_such_module")
    with pytest.raises(BadInputError, match="mlcommons-loadgen"):
        engine.load_loadgen()
