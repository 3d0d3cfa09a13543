"""The floor: the same load on the same broker through a null scorer that only echoes, in the same run."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console

from harness.feed import write_feed
from harness.instruments import StreamPlan
from harness.latency_results import Floor
from harness.measures import floor_results
from harness.panel import PlainLines
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.scorers import Reach, ScorerSetup
from harness.stream import stream_once
from streams.brokers.connection import KafkaConnection

SETTLE_S = 10.0
"""An echo that takes longer than this is lost."""


def _null(scenario: Scenario) -> ScorerSetup:
    nowhere = Path()
    scorer = scenario.scorer
    return ScorerSetup("null", scorer.workers, nowhere, None, nowhere, "none", scorer.breaker, nightly=False)


def measure_floor(
    plan: StreamPlan, scenario: Scenario, folder: RunFolder, reach: Reach, connection: KafkaConnection
) -> Floor:
    """Send the schedule's warm-up and `floor_s` seconds more through the null scorer; writes floor.hlog.

    The same warm-up as the run's own: a broker that has just started is slow, and would make the floor too high.
    """
    floor_s, warmup_ns = scenario.measure.floor_s, round(scenario.load.warmup_s * 1e9)
    schedule = np.load(plan.feed / "schedule.npy")
    schedule = schedule[: max(1, int(np.searchsorted(schedule, warmup_ns + round(floor_s * 1e9))))]
    reach.work.mkdir(parents=True, exist_ok=True)
    events = reach.work / "events.parquet"
    chosen = pq.read_table(plan.events).slice(0, len(schedule))
    pq.write_table(chosen, events)
    none = pq.read_table(plan.dispositions).slice(0, 0)
    write_feed(reach.work / "feed", chosen, none, schedule)
    floor_plan = StreamPlan(
        title="floor",
        feed=reach.work / "feed",
        events=events,
        dispositions=plan.dispositions,
        partitions=plan.partitions,
        timeout_s=min(SETTLE_S, plan.timeout_s),
        measured_from=int(np.searchsorted(schedule, warmup_ns)),
        decisions=reach.work / "decisions.parquet",
        senders=plan.senders,
        collectors=plan.collectors,
        linger_ms=plan.linger_ms,
    )
    display = PlainLines(Console(quiet=True))
    outcome = stream_once(floor_plan, _null(scenario), reach, connection, display, keep=False)
    return floor_results(outcome, folder.path / "floor.hlog", floor_s)
