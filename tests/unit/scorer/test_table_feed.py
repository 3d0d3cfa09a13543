"""Waiting for day tables: bounded, measured, given up once."""

import asyncio
import itertools
import threading

import pytest

from models.features.day_table import DayTable
from scorer.table_feed import TableFeed, TableGate, TableInbox
from streams.errors import BrokerError
from streams.labels import NS_PER_DAY
from tests.unit.scorer.test_pipeline import decide, event, make_pipeline

DAY = 20_000


def table(day: int) -> DayTable:
    return DayTable.of(day, {})


def test_a_batch_passes_at_once_when_its_table_is_there() -> None:
    pipeline, inbox = make_pipeline(), TableInbox()
    inbox.put(table(DAY - 1))
    gate = TableGate(inbox, pipeline, itertools.count().__next__)
    assert gate.wait(pipeline.prepare([event(1, 10)])) == 0
    assert pipeline.counters.tables_installed == 1


def test_a_batch_waits_for_its_table_and_the_wait_is_measured() -> None:
    pipeline, inbox = make_pipeline(), TableInbox()
    gate = TableGate(inbox, pipeline, itertools.count(0, 1_000).__next__)
    later = threading.Timer(0.05, inbox.put, [table(DAY - 1)])
    later.start()
    assert gate.wait(pipeline.prepare([event(1, 10)])) > 0
    later.join()
    assert pipeline.counters.table_wait_ns > 0
    assert pipeline.counters.tables_missed == 0


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_missing_table_is_given_up_once(kind: str) -> None:
    pipeline, inbox = make_pipeline(), TableInbox()
    gate = TableGate(inbox, pipeline, itertools.count(0, 10_000_000).__next__, limit_s=0.02)
    batch = pipeline.prepare([event(1, 10)])
    waited = gate.wait(batch) if kind == "sync" else asyncio.run(gate.wait_async(batch))
    assert waited > 0
    assert pipeline.counters.tables_missed == 1
    assert gate.wait(pipeline.prepare([event(2, 10)])) == 0
    assert len(decide(pipeline, [event(3, 10)])) == 1


def test_the_table_of_the_day_before_is_asked_for() -> None:
    pipeline = make_pipeline()
    assert pipeline.missing_days(pipeline.prepare([event(1, 10, time_ns=DAY * NS_PER_DAY)])) == [DAY - 1]
    pipeline.install(table(DAY - 1))
    assert pipeline.missing_days(pipeline.prepare([event(2, 10, time_ns=DAY * NS_PER_DAY)])) == []


def test_waiting_asynchronously_lets_others_run() -> None:
    pipeline, inbox = make_pipeline(), TableInbox()
    gate = TableGate(inbox, pipeline, itertools.count(0, 1_000).__next__)

    async def both() -> None:
        async def bring() -> None:
            inbox.put(table(DAY - 1))

        await asyncio.gather(gate.wait_async(pipeline.prepare([event(1, 10)])), bring())

    asyncio.run(both())
    assert pipeline.counters.tables_missed == 0


class DeadConsumer:
    """A consumer of a broker that is gone."""

    def __init__(self) -> None:
        self.closed = False

    def poll(self, timeout: float) -> None:
        raise RuntimeError("the broker is gone")

    def close(self) -> None:
        self.closed = True


def test_a_reader_that_ends_is_an_error_where_its_tables_are_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    pipeline, consumer = make_pipeline(), DeadConsumer()
    feed = TableFeed(lambda: consumer)
    gate = TableGate(feed.inbox, pipeline, itertools.count(0, 1_000).__next__)
    feed.start()
    with pytest.raises(BrokerError, match="the broker is gone"):
        gate.wait(pipeline.prepare([event(1, 10)]))
    feed.stop()
    assert consumer.closed
    with pytest.raises(BrokerError, match="can no longer be read"):
        asyncio.run(gate.wait_async(pipeline.prepare([event(1, 10)])))
    assert "can no longer be read" in caplog.text


def test_decisions_without_their_table_are_counted() -> None:
    pipeline = make_pipeline()
    decide(pipeline, [event(1, 10, time_ns=DAY * NS_PER_DAY)])
    assert pipeline.counters.stale_tables == 1
    pipeline.install(table(DAY - 1))
    decide(pipeline, [event(2, 10, time_ns=DAY * NS_PER_DAY)])
    assert pipeline.counters.stale_tables == 1
