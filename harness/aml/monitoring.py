"""From a stream of transfers that has ended to what is said of its monitoring, and to what investigators found."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.aml.alerts import ALERTS_FILE, read_alerts
from harness.aml.cases import write_case_files
from harness.aml.desk import ScoredRows
from harness.aml.investigators import investigate, investigation_results, write_findings
from harness.aml.measure import Asked, Monitored, measure_aml
from harness.aml.section import Investigators
from harness.aml.sent_findings import SentFindings
from harness.aml.split import Split
from harness.aml.truth import OF_LABELS, OF_TRANSFERS, Truth, truth_of
from harness.drift import Limits
from harness.prepared import Prepared
from harness.scenario import Scenario
from streams.stored_rows import StoredRows

logger = logging.getLogger("riskbench.harness.aml.monitoring")
K_DEFAULT = 20
"""Customers that investigators look at a day, where the scenario says nothing."""
K_SHARE_DEFAULT = 0.10
REFERENCE = "reference.json"


def scored_customers(decisions: pa.Table, event_time_ns: pa.ChunkedArray) -> pa.Table:
    """One row a scored customer of a transfer: `customer_id`, `event_time_ns`, `score`, `event_id`, and what the score
    was made of, `rule_score` and `margin` (the model's, log-odds; null where it gave none).

    `decisions` are rows of decisions.parquet; `event_time_ns` has the stream's event times by ordinal.
    """
    answered = decisions.filter(pc.greater(pc.fill_null(pc.list_value_length(decisions["customers"]), 0), 0))
    customers = answered["customers"].combine_chunks()
    of_row = pc.list_parent_indices(customers)
    parts = customers.flatten()
    return pa.table(
        {
            "customer_id": pc.struct_field(parts, "customer_id"),
            "event_time_ns": event_time_ns.take(answered["ordinal"].take(of_row)),
            "score": pc.struct_field(parts, "score"),
            "event_id": answered["event_id"].take(of_row),
            "rule_score": pc.struct_field(parts, "rule_score"),
            "margin": pc.struct_field(parts, "margin"),
        }
    )


def known_patterns(prepared: Prepared) -> list[int]:
    """Patterns that had begun before the stream."""
    learned = pq.read_table(prepared.file("history_labels"), columns=["is_laundering", "pattern_id"])
    found: list[int] = pc.unique(learned["pattern_id"].filter(learned["is_laundering"]).drop_null()).to_pylist()
    return found


def stream_truth(prepared: Prepared, sent: int) -> Truth:
    """The truth about what was sent; patterns that had begun before are left out: training may have seen them, and what
    gives them away may lie where nobody was asked."""
    return truth_of(
        pq.read_table(prepared.file("events"), columns=list(OF_TRANSFERS)).slice(0, sent),
        pq.read_table(prepared.file("labels"), columns=list(OF_LABELS)).slice(0, sent),
        pq.read_table(prepared.file("accounts")),
        pq.read_table(prepared.file("members")),
        known_patterns(prepared),
    )


def market_references(state: Path | None) -> Mapping[str, Mapping[str, Any]]:
    """Reference bins of the scores of each market, from the warm state; empty where there are none."""
    if state is None or not (state / REFERENCE).is_file():
        return {}
    reference = json.loads((state / REFERENCE).read_text(encoding="utf-8"))
    found: Mapping[str, Mapping[str, Any]] = reference.get("markets", {})
    return found


def capacity(scenario: Scenario, prepared: Prepared) -> int:
    """Customers that investigators look at a day: the scenario's, else those of a data file's protocol."""
    return scenario.measure.k or prepared.facts.get("k") or K_DEFAULT


def split_from(prepared: Prepared) -> Split | None:
    """How a file was split by time; None of a world."""
    found = prepared.facts.get("split")
    return None if found is None else msgspec.convert(found, Split)


@dataclass(frozen=True, slots=True)
class Watched:
    """A stream whose monitoring is measured: what was prepared, what was answered, and where the run lies."""

    prepared: Prepared
    decisions: StoredRows
    sent: int
    state: Path | None
    folder: Path
    findings: SentFindings | None = None
    """What the dispositions topic held; None without a topic."""


def monitor(scenario: Scenario, watched: Watched) -> Monitored:
    """Measure, let the investigators work, and leave what they found in the run folder."""
    truth = stream_truth(watched.prepared, watched.sent)
    # investigators began before anybody knew where sending would end
    planned = watched.prepared.events
    looked_at = truth if watched.sent == planned else stream_truth(watched.prepared, planned)
    times = pq.read_table(watched.prepared.file("events"), columns=["event_time_ns"])["event_time_ns"]
    scored = scored_customers(watched.decisions.read(["event_id", "ordinal", "customers"]), times)
    k = capacity(scenario, watched.prepared)
    asked = Asked(
        k=k,
        k_share=scenario.slo.k_share or K_SHARE_DEFAULT,
        reference=market_references(watched.state),
        limits=Limits(scenario.drift.psi_warning, scenario.drift.psi_alarm),
        seed=scenario.seeds.training,
    )
    monitored = measure_aml(scored, truth, asked)
    settings = scenario.investigators or Investigators()
    done = investigate(ScoredRows.of(scored, looked_at), looked_at, k, settings, scenario.seeds.training)
    write_findings(done, watched.folder, watched.findings)
    found = investigation_results(done, k, settings, watched.findings)
    if found.sent_otherwise:
        logger.warning("%d findings on the dispositions topic are not those of the decisions", found.sent_otherwise)
    alerts = read_alerts(watched.folder / ALERTS_FILE)
    cases = write_case_files(watched.folder, watched.prepared, done, alerts, watched.sent)
    split = split_from(watched.prepared)
    aml = msgspec.structs.replace(monitored.aml, investigations=found, cases=cases, split=split)
    return Monitored(aml, monitored.quality)
