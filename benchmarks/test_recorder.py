"""What the instrument itself costs an answer: collecting, recording it in the audit trail, and the histograms.

The unit is decoding the same decisions from JSON, which nobody who reads them is spared.
"""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.by_turns import by_turns, note_rate
from benchmarks.traffic import answers, event_id, events
from harness.accounts import OPEN, Accounts, EventIndex
from harness.audit_trail.bodies import Bodies
from harness.audit_trail.records import Opening, Thresholds
from harness.collector import Collector, RecordsPlan, open_records
from harness.decision_rows import EventTimes, open_rows
from harness.feed import write_feed
from harness.latency import measure_latency, new_histogram, record
from harness.pages import Pages
from harness.progress import Live
from harness.reading import Reader
from harness.receipt_order import ReceiptOrder, handed_over
from streams.codec import decode_decision, encode_decision

ANSWERS = 8_192
BATCH = 512
READERS = 2
TIMEOUT_NS = 10**10
COLLECTED_MAX = 2.9
RECORDED_MAX = 5.2
ORDERED_MAX = 0.75
MATCHED_MAX = (1.1, 1.5)
HISTOGRAM_MAX = 0.135
MEASURED_MAX = 2.8
Stamped = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def stamped() -> Stamped:
    return [(5_000_000 + 50_000 * n, encode_decision(decision)) for n, decision in enumerate(answers(ANSWERS))]


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorder") / "feed"
    none = pa.table({"reported_at_ns": pa.array([], pa.int64())})
    write_feed(folder, events(ANSWERS), none, np.arange(ANSWERS, dtype=np.int64) * 50_000)
    return folder


class Recorder:
    """Collects the same answers over and over, into new files each time."""

    def __init__(self, feed: Path, folder: Path, *, records: bool) -> None:
        self._feed, self._folder, self._records = feed, folder, records
        self._number = 0

    def _plan(self) -> RecordsPlan:
        return RecordsPlan(
            audit=str(self._folder / f"{self._number}.jsonl"),
            opening=Opening(run="r", started_at="2026-01-01T00:00:00Z", software_version="1", scenario="ab" * 32),
            thresholds=Thresholds(review=0.3, block=0.9),
            explanations=str(self._folder / "explanations.parquet"),
            asked="flagged",
        )

    def read(self, stamped: Stamped) -> list[tuple[int, int, bytes]]:
        """What readers hand over, each every `READERS`-th message: (reader, until when, what)."""
        bodies = Bodies.of_pages(self._plan().thresholds, Pages(self._feed / "messages"))
        reader = Reader(EventIndex.open(self._feed), "flagged", bodies)
        found = []
        for start in range(0, len(stamped), READERS * BATCH):
            for place in range(READERS):
                part = stamped[start + place : start + READERS * BATCH : READERS]
                found.append((place, part[-1][0], handed_over(reader.read(part))))
        return found

    def collect(self, stamped: Stamped) -> Path:
        """All of it; returns the rows' file."""

        def take(collector: Collector) -> None:
            for start in range(0, len(stamped), BATCH):
                collector.take(stamped[start : start + BATCH])

        return self._collect(take)

    def order(self, handed: list[tuple[int, int, bytes]]) -> Path:
        """All that readers have read; returns the rows' file."""

        def take(collector: Collector) -> None:
            order = ReceiptOrder(READERS)
            for place, until_ns, content in handed:
                order.add(place, content, until_ns)
                self._settle(order, collector)
            for place in range(READERS):
                order.close(place)
            self._settle(order, collector)

        return self._collect(take)

    def _settle(self, order: ReceiptOrder, collector: Collector) -> None:
        reading = order.take()
        if reading is not None:
            collector.settle(reading)

    def _collect(self, take: Callable[[Collector], None]) -> Path:
        self._number += 1
        out = self._folder / "decisions.parquet"
        accounts = Accounts.open(self._feed, 0, TIMEOUT_NS)
        times = EventTimes(accounts.intended_ns, accounts.intended_ns, 0)
        with ExitStack() as stack:
            writer, records = stack.enter_context(open_rows(out)), None
            if self._records:
                records = stack.enter_context(open_records(self._plan(), accounts, self._feed, 0))
            collector = Collector(accounts, times, writer, Live.create(self._folder / "live"), records)
            take(collector)
            counts = collector.finish(ANSWERS, Path("none"))
        assert (counts["decided"], counts["lost"]) == (ANSWERS, 0)
        return out


def decoding(stamped: Stamped) -> Callable[[Any], object]:
    return lambda _: [decode_decision(value) for _, value in stamped]


@pytest.mark.parametrize("records", [False, True], ids=["rows", "rows-and-trail"])
def test_collect(benchmark: Any, feed: Path, tmp_path: Path, stamped: Stamped, records: bool) -> None:
    benchmark(Recorder(feed, tmp_path, records=records).collect, stamped)
    note_rate(benchmark, "answers", ANSWERS)


def test_latencies_of_a_run(benchmark: Any, feed: Path, tmp_path: Path, stamped: Stamped) -> None:
    rows = Recorder(feed, tmp_path, records=False).collect(stamped)
    benchmark(measure_latency, rows, 0, None)
    note_rate(benchmark, "answers", ANSWERS)


@pytest.mark.parametrize("records", [False, True], ids=["rows", "rows-and-trail"])
def test_collecting_costs_a_few_decodings(feed: Path, tmp_path: Path, stamped: Stamped, records: bool) -> None:
    recorder = Recorder(feed, tmp_path, records=records)
    turns = by_turns(lambda _: recorder.collect(stamped), decoding(stamped), rounds=8)
    turns.hold("decoding", RECORDED_MAX if records else COLLECTED_MAX)


def test_behind_readers_the_collector_has_less_work(feed: Path, tmp_path: Path, stamped: Stamped) -> None:
    """What is left to the one process that cannot be several bounds what a host can collect."""
    recorder = Recorder(feed, tmp_path, records=True)
    handed = recorder.read(stamped)
    turns = by_turns(lambda _: recorder.order(handed), lambda _: recorder.collect(stamped), rounds=8)
    turns.hold("reading and collecting", ORDERED_MAX)


@pytest.fixture
def accounts(feed: Path) -> Accounts:
    return Accounts.open(feed, 0, TIMEOUT_NS)


def test_matching_costs_less_than_decoding(accounts: Accounts, stamped: Stamped) -> None:
    """Batch by batch, P99 too: no batch of answers may hold up the next."""
    ids = cycle([[event_id(n) for n in range(start, start + BATCH)] for start in range(0, ANSWERS, BATCH)])
    received = np.arange(BATCH, dtype=np.int64)

    def unanswered() -> list[str]:
        accounts.state[:] = OPEN
        return next(ids)

    turns = by_turns(lambda part: accounts.match(part, received), decoding(stamped[:BATCH]), 300, unanswered)
    turns.hold("decoding", *MATCHED_MAX)


def test_a_histogram_takes_an_array_quicker_than_values_one_by_one() -> None:
    values = np.random.default_rng(1).lognormal(14, 1, BATCH).astype(np.int64)
    ours, theirs, listed = new_histogram(), new_histogram(), values.tolist()
    turns = by_turns(
        lambda _: record(ours, values), lambda _: [theirs.record_value(value) for value in listed], rounds=100
    )
    assert list(ours.counts) == list(theirs.counts)
    turns.hold("record_value", HISTOGRAM_MAX)


def test_measuring_a_run_costs_less_than_decoding_it(feed: Path, tmp_path: Path, stamped: Stamped) -> None:
    rows = Recorder(feed, tmp_path, records=False).collect(stamped)
    turns = by_turns(lambda _: measure_latency(rows, 0, None), decoding(stamped), rounds=8)
    turns.hold("decoding", MEASURED_MAX)
