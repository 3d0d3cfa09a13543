"""Day tables for a worker: read from the topic by a thread of their own, waited for by the thread that decides."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from models.features.day_table import DayTable
from models.features.table_messages import DayTableAssembler, DayTableError
from scorer.clock import ClockNs
from scorer.pipeline import Batch, Pipeline
from streams.errors import BrokerError
from streams.labels import NS_PER_DAY

log = logging.getLogger("riskbench.scorer")

WAIT_LIMIT_S = 10.0
ASYNC_STEP_S = 0.002
DAYS_AHEAD = 7
"""Tables of days so far ahead of the events are installed before they are needed."""


class TableSource(Protocol):
    """Where day tables come from."""

    def wait_for(self, day: int, limit_s: float) -> bool:
        """Wait until the table of `day` is among those to take; False when it did not come in time."""

    def take(self) -> list[DayTable]:
        """The tables that came since the last call, in the order they came."""


class TableInbox:
    """Tables handed from the thread that reads them to the thread that decides."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._waiting: list[DayTable] = []
        self._days: set[int] = set()
        self._failure: str | None = None

    def put(self, table: DayTable) -> None:
        """Hand over a table; wakes who waits for it."""
        with self._arrived:
            self._waiting.append(table)
            self._days.add(table.day)
            self._arrived.notify_all()

    def wait_for(self, day: int, limit_s: float) -> bool:
        """Wait until the table of `day` has come; False when it did not come in time."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: day in self._days or self._failure is not None, limit_s)
            self._raise_failure()
            return came

    def fail(self, reason: str) -> None:
        """No table will come any more: whoever takes or waits from now on gets a `BrokerError`."""
        with self._arrived:
            self._failure = reason
            self._arrived.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise BrokerError(f"the day tables can no longer be read: {self._failure}")

    def take(self) -> list[DayTable]:
        """The tables that came since the last call."""
        self._raise_failure()
        if not self._waiting:  # a list's truth needs no lock, and this is asked for every micro-batch
            return []
        with self._arrived:
            taken, self._waiting = self._waiting, []
            return taken


class TableFeed:
    """Reads the day tables' topic from its beginning into an inbox, until stopped. When it cannot go on, the inbox says
    so to the thread that decides.

    `open_consumer` makes a confluent-kafka consumer that is already assigned to the topic's partition.
    """

    def __init__(self, open_consumer: Callable[[], Any]) -> None:
        self.inbox = TableInbox()
        self._open_consumer = open_consumer
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="table-feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            consumer = self._open_consumer()
            try:
                self._follow(consumer)
            finally:
                consumer.close()
        except Exception as error:
            log.exception("the day tables can no longer be read")
            self.inbox.fail(str(error))

    def _follow(self, consumer: Any) -> None:
        assembler = DayTableAssembler()
        while not self._stopped.is_set():
            message = consumer.poll(0.2)
            if message is None:
                continue
            error = message.error()
            if error is None:
                self._take(assembler, message.value() or b"")
            elif error.fatal():
                raise BrokerError(error.str())
            else:
                log.warning("day tables: %s", error.str())

    def _take(self, assembler: DayTableAssembler, value: bytes) -> None:
        try:
            table = assembler.add(value)
        except DayTableError as error:
            log.error("a message of the day tables cannot be read: %s", error)
            return
        if table is not None:
            self.inbox.put(table)


class TableGate:
    """Lets a batch pass once the tables it needs are installed; bounded, measured, and said when it gave up.

    After `limit_s` the batch passes without: its events use the latest table there is, the missing one is counted in
    `tables_missed` and no longer waited for, and is installed if it comes after all.
    """

    def __init__(
        self, source: TableSource, pipeline: Pipeline, clock_ns: ClockNs, limit_s: float = WAIT_LIMIT_S
    ) -> None:
        self._source = source
        self._pipeline = pipeline
        self._clock_ns = clock_ns
        self._limit_s = limit_s
        self._given_up: set[int] = set()
        self._ahead: list[DayTable] = []

    def wait(self, batch: Batch) -> int:
        """Block until the batch may be decided; nanoseconds waited."""
        missing = self._missing(batch)
        if not missing:
            return 0
        begin_ns = self._clock_ns()
        while missing:
            left_s = self._left_s(begin_ns)
            if left_s <= 0 or not self._source.wait_for(missing[-1], left_s):
                self._give_up(missing)
                break
            missing = self._missing(batch)
        return self._measured(begin_ns)

    async def wait_async(self, batch: Batch) -> int:
        """As `wait`, without holding up the event loop."""
        missing = self._missing(batch)
        if not missing:
            return 0
        begin_ns = self._clock_ns()
        while missing:
            if self._left_s(begin_ns) <= 0:
                self._give_up(missing)
                break
            await asyncio.sleep(ASYNC_STEP_S)
            missing = self._missing(batch)
        return self._measured(begin_ns)

    def _missing(self, batch: Batch) -> list[int]:
        self._ahead += self._source.take()
        if self._ahead:
            self._install_up_to(int(batch.columns.time_ns.max()) // NS_PER_DAY - 1 + DAYS_AHEAD)
        return [day for day in self._pipeline.missing_days(batch) if day not in self._given_up]

    def _install_up_to(self, day: int) -> None:
        """Install what came, but what is far ahead of the events: a worker that starts again finds the tables of the
        whole stream, and the state holds a limited number of days."""
        ready = [table for table in self._ahead if table.day <= day]
        self._ahead = [table for table in self._ahead if table.day > day]
        for table in ready:
            self._pipeline.install(table)

    def _left_s(self, begin_ns: int) -> float:
        return self._limit_s - (self._clock_ns() - begin_ns) / 1e9

    def _give_up(self, missing: list[int]) -> None:
        log.error(
            "no day table for business day(s) %s after %g s: the latest one is used (is the nightly role running?)",
            ", ".join(map(str, missing)), self._limit_s,
        )  # fmt: skip
        self._given_up.update(missing)
        self._pipeline.counters.tables_missed += len(missing)

    def _measured(self, begin_ns: int) -> int:
        waited_ns = self._clock_ns() - begin_ns
        self._pipeline.counters.observe_table_wait(waited_ns)
        return waited_ns
