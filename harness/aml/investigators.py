"""Investigators simulated: who is looked at, what is found and when. Whoever is not looked at has no label.

Each event-day they look at K customers: the most suspicious, and a few drawn at random from all others, so that a model
trained on the findings also learns what its ranking never shows. Every draw is a hash of the seed and the customer's
name, so findings depend neither on the order of customers nor on how often they are computed.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.aml.desk import BY_EXPLORATION, Desk, Investigation, ScoredRows, in_order
from harness.aml.results import InvestigationResults
from harness.aml.section import Investigators
from harness.aml.sent_findings import SentFindings
from harness.aml.truth import Truth

FINDINGS_FILE = "findings.parquet"
FINDINGS_SCHEMA = pa.schema(
    [
        pa.field("alert_id", pa.string(), nullable=False),
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("found_at_ns", pa.int64(), nullable=False),
        pa.field("is_suspicious", pa.bool_(), nullable=False),
        pa.field("market", pa.string(), nullable=False),
        pa.field("listed_at_ns", pa.int64(), nullable=False),
        pa.field("score", pa.float64()),
        pa.field("chosen_by", pa.string(), nullable=False),
        pa.field("propensity", pa.float64(), nullable=False),
        pa.field("sent", pa.bool_()),
    ]
)
"""One row a finding, in order of `found_at_ns`. `score` is what the customer was ranked by (null: nothing was scored);
`propensity` how likely it was to be looked at that day, by which a training can weight what exploration brought; `sent`
whether it went out on the dispositions topic while the stream lasted (null: there was no topic)."""


def investigate(rows: ScoredRows, truth: Truth, k: int, settings: Investigators, seed: int) -> list[Investigation]:
    """Everything found about a stream that has ended, in order of the findings' event time. Raises BadInputError as
    `Desk`."""
    desk = Desk(truth, k, settings, seed)
    return in_order([*desk.take(rows), *desk.close()])


def write_findings(done: Sequence[Investigation], folder: Path, sent: SentFindings | None = None) -> Path:
    """Write `findings.parquet` into a run folder; a later training reads it. `sent` is what the topic held, if any."""
    rows = [
        {
            "alert_id": one.finding.alert_id,
            "customer_id": one.finding.customer_id,
            "found_at_ns": one.finding.found_at_ns,
            "is_suspicious": one.finding.is_suspicious,
            "market": one.finding.market,
            "listed_at_ns": one.listed_at_ns,
            "score": one.score,
            "chosen_by": one.chosen_by,
            "propensity": one.propensity,
            "sent": None if sent is None else sent.has(one.finding),
        }
        for one in done
    ]
    path = folder / FINDINGS_FILE
    pq.write_table(pa.Table.from_pylist(rows, schema=FINDINGS_SCHEMA), path)
    return path


def investigation_results(
    done: Sequence[Investigation], k: int, settings: Investigators, sent: SentFindings | None = None
) -> InvestigationResults:
    """What the investigators did, in numbers."""
    explored = [one for one in done if one.chosen_by == BY_EXPLORATION]
    return InvestigationResults(
        capacity_per_day=k,
        exploration_per_day=settings.exploration_per_day,
        findings=len(done),
        suspicious=sum(one.finding.is_suspicious for one in done),
        explored=len(explored),
        explored_suspicious=sum(one.finding.is_suspicious for one in explored),
        wrong=sum(one.is_wrong for one in done),
        file=FINDINGS_FILE,
        sent=None if sent is None else sum(sent.has(one.finding) for one in done),
        sent_otherwise=None if sent is None else sent.beside(one.finding for one in done),
    )
