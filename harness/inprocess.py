"""A run without a broker: the scorer reads a file on the schedule and writes its decisions to a file."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from harness.accounts import Accounts
from harness.audit_trail.writer import AuditTrail
from harness.collector import Collector, open_records
from harness.decision_rows import EventTimes, open_rows
from harness.faults.driver import Driver, Vitals, driving
from harness.faults.staging import Staging
from harness.instruments import StreamPlan
from harness.late_scores import late_scores_file
from harness.processes import Child, Family, await_file, module_command
from harness.progress import Live
from harness.runfolder import RunFolder
from harness.scorers import READY_S, ScorerSetup, Worker, scorer_options
from harness.spool import Stamped
from harness.steps import Steps
from harness.stream import StreamOutcome
from streams.codec import decode_decision
from streams.errors import RunInvalidError

LINES = 4_096
NOTHING_SEEN = Vitals(overdue=0, response_p99_ms=0.0, lag=0)
"""The scorer writes to a file, which is read when it has ended."""


def _command(plan: StreamPlan, setup: ScorerSetup, work: Path, log: Path) -> list[str]:
    return module_command(
        "scorer",
        *("--engine", "inprocess"),
        *("--events", str(plan.events)),
        *("--dispositions", str(plan.dispositions)),
        *("--schedule", str(plan.feed / "schedule.npy")),
        *("--decisions-out", str(work / "decisions.jsonl")),
        *("--explanations-out", str(work / "explanations.jsonl")),
        *(("--alerts-out", str(plan.alerts)) if plan.alerts is not None else ()),
        *(("--domain", "aml") if plan.alerts is not None else ()),
        *("--ready-file", str(work / "ready")),
        *("--summary", str(work / "summary")),
        *("--late-scores", str(late_scores_file(log.parent, "inprocess"))),
        *scorer_options(setup),
    )


def _stamped(lines: Iterator[bytes]) -> Iterator[list[Stamped]]:
    """Lines with the instant each was emitted, which is when it was received: nothing lies between."""
    held: list[Stamped] = []
    for line in lines:
        try:
            emitted_ns = decode_decision(line).emitted_ns or 0
        except msgspec.DecodeError:
            emitted_ns = 0
        held.append((emitted_ns, line))
        if len(held) >= LINES:
            yield held
            held = []
    if held:
        yield held


def _unstamped(lines: Iterator[bytes]) -> Iterator[list[Stamped]]:
    while held := [(0, line) for line in islice(lines, LINES)]:
        yield held


def collect(
    plan: StreamPlan, start_ns: int, work: Path, attendant: "Attendant | None" = None
) -> tuple[dict[str, Any], npt.NDArray[np.int64]]:
    """Account for what the scorer wrote to `work`/decisions.jsonl (and explanations.jsonl): the counts, and when each
    event was sent (ns), which is when it was due. What an attendant decided is recorded where it was decided."""
    accounts = Accounts.open(plan.feed, start_ns, round(plan.timeout_s * 1e9))
    times = EventTimes(accounts.intended_ns, accounts.intended_ns, plan.measured_from)
    with ExitStack() as stack:
        writer = stack.enter_context(open_rows(plan.decisions))
        records = None
        if plan.records is not None:
            records = stack.enter_context(open_records(plan.records, accounts, plan.feed, plan.measured_from))
        collector = Collector(accounts, times, writer, Live.create(work / "live"), records)
        lines = stack.enter_context((work / "decisions.jsonl").open("rb"))
        for count, record in [] if attendant is None else attendant.records():
            for stamped in _stamped(islice(lines, count)):
                collector.take(stamped)
            if records is not None:
                record(records.trail)
        for stamped in _stamped(iter(lines)):
            collector.take(stamped)
        explanations = work / "explanations.jsonl"
        if records is not None and explanations.exists():
            lines = stack.enter_context(explanations.open("rb"))
            for stamped in _unstamped(iter(lines)):
                records.explanations.take(stamped)
        return collector.finish(len(accounts.intended_ns), plan.events), accounts.intended_ns


class Attendant(Protocol):
    """Attends to a scorer that stands still at event times it was told, and says when it may go on."""

    @property
    def control(self) -> Path:
        """The plan that the scorer follows, written before it starts."""

    def attend(self, worker: Worker, family: Family, decisions: Path) -> None:
        """Until event time is held no more; `decisions` is the file that the scorer writes."""

    def records(self) -> Iterable[tuple[int, Callable[[AuditTrail], None]]]:
        """What the audit trail has to say, each after how many further lines of decisions."""

    def delayed(self, schedule_ns: npt.NDArray[np.int64], summary: Mapping[str, Any]) -> npt.NDArray[np.int64]:
        """The schedule (ns) as it became by standing still; `summary` is the scorer's."""


def await_end(child: Child, seconds: float) -> None:
    """Wait until the scorer has read its file to the end; raises with its own words when it fails or takes longer."""
    if child.wait(seconds) is None:
        raise RunInvalidError(f"the scorer had not ended {seconds:,.0f} s after its start; see {child.log}")
    if child.process.returncode != 0:
        raise child.failure()


def stream_inprocess(
    plan: StreamPlan, setup: ScorerSetup, folder: RunFolder, steps: Steps, attendant: Attendant | None = None
) -> StreamOutcome:
    """Run the in-process engine over the schedule to its end."""
    work = folder.work / "inprocess"
    work.mkdir(parents=True, exist_ok=True)
    schedule = np.load(plan.feed / "schedule.npy")
    if attendant is not None:
        setup = replace(setup, rollout_control=attendant.control)
    planned_s = float(schedule[-1]) / 1e9 if len(schedule) else 0.0
    with steps.step(f"Streaming {len(schedule):,} events in process ({planned_s:.0f} s)"), Family() as family:
        log = folder.log("scorer-inprocess")
        child = family.start("scorer", _command(plan, setup, work, log), log)
        start_ns = int(json.loads(await_file(work / "ready", child, family, READY_S))["start_ns"])
        staging = plan.faults or Staging(())
        driver = Driver(staging.planned, staging.targets(None), start_ns, time.monotonic_ns, lambda: NOTHING_SEEN)
        with driving(driver):
            if attendant is not None:
                worker = Worker("inprocess", "worker", child, work / "ready", work / "summary")
                attendant.attend(worker, family, work / "decisions.jsonl")
            await_end(child, planned_s + plan.timeout_s + READY_S)
        driver.check()
    summary = json.loads((work / "summary").read_bytes()) if (work / "summary").exists() else {}
    if attendant is not None:
        np.save(plan.feed / "schedule.npy", attendant.delayed(schedule, summary))
    counts, sent_ns = collect(plan, start_ns, work, attendant)
    load = {"sent": len(schedule), "side_sent": 0, "undelivered": 0}
    dead_lettered = int(summary.get("dead_lettered", 0))
    scorers = [{"worker": "inprocess", "role": "worker", **summary}]
    return StreamOutcome(
        start_ns, counts, load, sent_ns, dead_lettered, [], scorers, plan.decisions, injections=driver.injections
    )
