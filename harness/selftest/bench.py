"""The test bench: plain events at a steady rate through load, broker, a planted scorer, receiver and collector."""

import shlex
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from harness.feed import write_feed
from harness.instruments import StreamPlan
from harness.latency import LatencyLog, measure_latency
from harness.measures import Held
from harness.panel import PlainLines
from harness.processes import module_command
from harness.scenario import Breaker
from harness.scorers import OwnScorer, Reach, ScorerSetup
from harness.selftest.planted import Plan
from harness.selftest.stopping import load_stopped
from harness.stream import stream_once
from streams.arrivals import schedule_ns
from streams.brokers.connection import KafkaConnection
from streams.labels import NS_PER_DAY
from streams.transaction import TRANSACTION_SCHEMA

FIRST_EVENT_NS = 20_000 * NS_PER_DAY
"""Event time of the first event; all lie in one business day, so that nothing but events is sent."""
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What is sent: a rate (events/s) for a warm-up and a measured time, by so many cards over so many partitions."""

    rate_per_s: float
    measured_s: float
    warmup_s: float = 2.0
    cards: int = 200
    partitions: int = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """What the instrument says: the collector's counts, the histograms, the rows, how many events were measured, and
    the rate they were sent at as a share of the rate that was asked for."""

    counts: dict[str, Any]
    log: LatencyLog
    decisions: pa.Table
    events: int
    achieved_share: float = 1.0

    def ms(self, tag: str, q: float) -> float:
        """Quantile `q` of a tag in ms, by the histogram; NaN where it is empty."""
        series = self.log.series.get(tag)
        if series is None or series.total.total_count == 0:
            return float("nan")
        return float(series.total.get_value_at_percentile(100.0 * q)) / 1e6


def event_ids(count: int) -> list[str]:
    """The ids of the bench's events, in their order."""
    return [f"selftest-{number:09d}" for number in range(count)]


def plain_events(count: int, cards: int) -> pa.Table:
    """Events that differ in id, card and time only: TRANSACTION_SCHEMA, one microsecond apart, cards in turn."""
    numbers = np.arange(count)
    columns: dict[str, Any] = {
        "event_id": pa.array(event_ids(count)),
        "event_time_ns": FIRST_EVENT_NS + numbers * 1_000,
        "card_id": pa.DictionaryArray.from_arrays(
            pa.array((numbers % cards).astype(np.int32)), pa.array([f"card-{card}" for card in range(cards)])
        ),
        "amount_minor": np.full(count, 1_000),
        "currency": pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["EUR"])),
    }
    arrays = [
        pa.nulls(count, field.type) if field.name not in columns else pa.array(columns[field.name], field.type)
        for field in TRANSACTION_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=TRANSACTION_SCHEMA)


def no_dispositions() -> pa.Table:
    """Nothing becomes known during a self-test."""
    return pa.table({"reported_at_ns": pa.array([], pa.int64())})


class TestBench:
    """Runs planted scorers on one broker; every run gets topics and a folder of its own."""

    __test__ = False  # not a test, whatever its name says to pytest

    def __init__(self, connection: KafkaConnection, folder: Path, token: Callable[[], str]) -> None:
        self._connection, self._folder, self._token = connection, folder, token

    def run(self, name: str, shape: Shape, planted: Plan | None, stop_load_s: float = 0.0) -> Measured:
        """Send, with the scorer misbehaving as `planted` (None: the null scorer, which echoes), and measure as in any
        run.

        With `stop_load_s` the load process is stopped for so long, a third into the measured time.
        """
        work = self._folder / name
        work.mkdir(parents=True)
        plan = self._write(work, shape)
        own = None if planted is None else OwnScorer(self._command(work, planted), settle_s=0.0)
        engine, nowhere = ("null" if own is None else "own"), Path()
        setup = ScorerSetup(engine, 1, nowhere, None, None, "none", Breaker(), nightly=False, own=own)
        reach = Reach(
            bootstrap_servers=self._connection.bootstrap_servers,
            kafka_config=None,
            prefix=f"selftest-{name}-{self._token()}",
            work=work / "stream",
            logs=work,
        )
        quiet = PlainLines(Console(quiet=True))
        disturbance = (
            load_stopped(reach.work / "start", shape.warmup_s + shape.measured_s / 3.0, stop_load_s)
            if stop_load_s
            else nullcontext()
        )
        with disturbance:
            outcome = stream_once(plan, setup, reach, self._connection, quiet, keep=False)
        log = measure_latency(outcome.decisions, outcome.start_ns, work / "latency.hlog")
        rows = pq.read_table(outcome.decisions)
        held = Held(np.load(plan.feed / "schedule.npy"), outcome.sent_ns, outcome.start_ns, plan.measured_from)
        return Measured(
            counts=outcome.counts,
            log=log,
            decisions=rows,
            events=int(np.count_nonzero(rows["measured"])),
            achieved_share=held.achieved_per_s / held.scheduled_per_s,
        )

    def _write(self, work: Path, shape: Shape) -> StreamPlan:
        schedule = schedule_ns("constant", shape.rate_per_s, seed=0, duration_s=shape.warmup_s + shape.measured_s)
        events = plain_events(len(schedule), shape.cards)
        pq.write_table(events, work / "events.parquet")
        nothing = no_dispositions()
        pq.write_table(nothing, work / "dispositions.parquet")
        write_feed(work / "feed", events, nothing, schedule)
        return StreamPlan(
            title="selftest",
            feed=work / "feed",
            events=work / "events.parquet",
            dispositions=work / "dispositions.parquet",
            partitions=shape.partitions,
            timeout_s=TIMEOUT_S,
            measured_from=int(np.searchsorted(schedule, round(shape.warmup_s * 1e9))),
            decisions=work / "decisions.parquet",
        )

    def _command(self, work: Path, planted: Plan) -> str:
        plan = work / "planted.json"
        plan.write_bytes(msgspec.json.encode(planted))
        places = ("{bootstrap_servers}", "{events}", "{decisions}", "{group}", "{ready}")
        return shlex.join([*module_command("harness.selftest.planted", str(plan)), *places])
