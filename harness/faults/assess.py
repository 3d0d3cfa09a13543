"""From a finished stream to what is said of its faults, and of the stream outside of them."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq

from harness.audit_trail.records import AUDIT_FILE
from harness.case import CASE
from harness.faults.counterfactual import decided, would_have_decided
from harness.faults.fates import fates, out_of_order
from harness.faults.measures import Observed, Span, measure_fault, outside, spans
from harness.faults.plan import Planned
from harness.faults.price import COLUMNS, Truth, price
from harness.faults.rows import read_rows
from harness.faults.signals import Change, Noted
from harness.faults.steady import NS_PER_S, Hypothesis
from harness.latency import new_histogram, record, summarise
from harness.latency_results import Distribution, LatencyResults, TailResults
from harness.measures import K_DEFAULT, distribution
from harness.prepared import Prepared
from harness.results import FaultQuality, FaultResults, SteadyResults
from harness.scenario import Scenario
from harness.stream import StreamOutcome
from harness.tail import tail_of
from harness.timeline import Sample
from harness.training import Workshop
from streams.errors import RiskbenchError
from streams.stored_rows import StoredRows

logger = logging.getLogger("riskbench.harness.faults")


@dataclass(frozen=True, slots=True)
class Assessed:
    """The faults in order of time; the measured stream outside of them; and the latencies that limits are judged by."""

    faults: list[FaultResults]
    steady: SteadyResults
    response: Distribution
    tail: TailResults

    def judged(self, latency: LatencyResults) -> LatencyResults:
        """The run's latencies with response and tail of outside the faults."""
        return msgspec.structs.replace(latency, response=self.response, tail=self.tail)


def hypothesis_of(scenario: Scenario) -> Hypothesis:
    """The scenario's steady-state hypothesis."""
    steady = scenario.steady
    return Hypothesis(steady.response_p99_ms or scenario.slo.response_p99_ms, steady.fallback_share_max, steady.hold_s)


def assess(
    scenario: Scenario,
    prepared: Prepared,
    outcome: StreamOutcome,
    planned: Sequence[Planned],
    run: Path,
    feed: Path,
    shop: Workshop,
) -> Assessed:
    """Measure every fault of a run; `run` is its folder, with decisions, case, events and audit trail in it, `feed` the
    feed folder that was sent."""
    seen = _observed(scenario, prepared, outcome, run, feed)
    found = spans(planned, outcome.injections, seen)
    prices = _prices(scenario, prepared, seen, found, run, shop)
    faults = [measure_fault(span, seen, quality) for span, quality in zip(found, prices, strict=True)]
    chosen = outside(found, seen.rows)
    response = seen.rows.response_ns[chosen]
    histogram = new_histogram()
    record(histogram, response)
    return Assessed(
        faults=faults,
        steady=_steady(seen, chosen),
        response=distribution(summarise(histogram)),
        tail=TailResults(**asdict(tail_of(response, scenario.slo.response_p99_ms))),
    )


def _observed(scenario: Scenario, prepared: Prepared, outcome: StreamOutcome, run: Path, feed: Path) -> Observed:
    rows = read_rows(outcome.decisions)
    end_ns = int(rows.intended_ns[-1]) + 1 if len(rows) else outcome.start_ns
    late = out_of_order(pq.read_table(prepared.file("events"), columns=["event_time_ns"])["event_time_ns"].to_numpy())
    return Observed(
        rows=rows,
        start_ns=outcome.start_ns,
        measured_ns=outcome.start_ns + round(scenario.load.warmup_s * NS_PER_S),
        end_ns=end_ns,
        changes=breaker_changes(outcome.scorers),
        samples=outcome.samples,
        noted=Noted(
            rises(outcome.samples, "dead_lettered"),
            repetitions(run / AUDIT_FILE),
            rises(outcome.samples, "ignored"),
            outcome.sent_ns[late].tolist(),
        ),
        hypothesis=hypothesis_of(scenario),
        dead_lettered=outcome.dead_lettered,
        time_limit_ns=round(scenario.scorer.breaker.time_limit_ms * 1e6) if scenario.scorer.kind == "ours" else None,
        fed=fates(scenario, feed, late, run),
    )


def _steady(seen: Observed, chosen: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> SteadyResults:
    return seen.hypothesis.judge(seen.rows.only(chosen), seen.measured_ns, seen.end_ns, seen.start_ns)


def breaker_changes(summaries: Sequence[dict[str, Any]]) -> list[Change]:
    """Every breaker's changes of state, in order of time."""
    found = [
        Change(int(change["at_ns"]), str(change["from"]), str(change["to"]), str(summary.get("worker", "")))
        for summary in summaries
        if isinstance(summary.get("breaker"), dict)
        for change in summary["breaker"].get("transitions", [])
    ]
    return sorted(found, key=lambda change: change.at_ns)


def rises(samples: Sequence[Sample], count: str) -> list[int]:
    """When one of the samples' counts had become more than a second before."""
    return [later.at_ns for earlier, later in pairwise(samples) if getattr(later, count) > getattr(earlier, count)]


def repetitions(audit: Path) -> list[int]:
    """When a decision came for an event that had one, by the audit trail."""
    if not audit.is_file():
        return []
    with audit.open("rb") as lines:
        found = (msgspec.json.decode(line) for line in lines if b'"duplicate"' in line)
        return [int(record["received_ns"]) for record in found if record.get("kind") == "duplicate"]


def _prices(
    scenario: Scenario, prepared: Prepared, seen: Observed, found: Sequence[Span], run: Path, shop: Workshop
) -> list[FaultQuality | None]:
    """Of each fault; None where the truth is not known, or nothing can be computed again (another's scorer). Transfers
    are judged by patterns that take days: of the seconds of a fault there is nothing to tell."""
    chosen = [seen.rows.ordinal[seen.rows.due(span.from_ns, span.until_ns)] for span in found]
    everything = np.concatenate([np.zeros(0, np.int64), *chosen])
    if scenario.domain != "fraud" or not prepared.labelled or not (run / CASE).is_dir() or len(everything) == 0:
        return [None] * len(found)
    try:
        with tempfile.TemporaryDirectory(prefix="riskbench-faults-") as work:
            would = would_have_decided(run, everything, Path(work), shop)
    except RiskbenchError as error:  # the run was made all the same
        logger.warning("what the faults cost in quality is not known: %s", error)
        return [None] * len(found)
    truth = Truth.of(
        StoredRows(prepared.file("events")),
        StoredRows(prepared.file("labels")),
        everything,
        scenario.measure.k or prepared.facts.get("k") or K_DEFAULT,
    )
    decisions = decided(run / "decisions.parquet", everything, COLUMNS)
    return [price(decisions, ordinals, would, truth) if len(ordinals) else None for ordinals in chosen]
