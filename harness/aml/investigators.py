"""Investigators simulated: who is looked at, what is found and when. Whoever is not looked at has no label.

Each event-day they look at K customers: the most suspicious, and a few drawn at random from all others, so that a model
trained on the findings also learns what its ranking never shows. Every draw is a hash of the seed and the customer's
name, so findings depend neither on the order of customers nor on how often they are computed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.aml.ranking import CustomerScores, Places, Ranking, day_end_ns, days_of
from harness.aml.results import InvestigationResults
from harness.aml.section import Investigators
from harness.aml.truth import NOBODY, Truth
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.laundering import Finding

FINDINGS_FILE = "findings.parquet"
BY_RANK, BY_EXPLORATION = "rank", "exploration"
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
    ]
)
"""One row a finding, in order of `found_at_ns`. `score` is what the customer was ranked by (null: nothing was scored);
`propensity` how likely it was to be looked at that day, by which a training can weight what exploration brought."""


@dataclass(frozen=True, slots=True)
class Investigation:
    """A finding, when and why its customer was looked at, and whether the investigator was wrong."""

    finding: Finding
    listed_at_ns: int
    score: float | None
    chosen_by: str
    propensity: float
    is_wrong: bool


def investigate(
    scores: CustomerScores,
    alert_ids: Sequence[str],
    truth: Truth,
    k: int,
    settings: Investigators,
    seed: int,
) -> list[Investigation]:
    """Everything found about a stream, in order of the findings' event time.

    `alert_ids` has one entry a row of the table the scores came from. Raises BadInputError when exploration would take
    more places than there are.
    """
    if settings.exploration_per_day > k:
        raise BadInputError(
            f"investigators.exploration_per_day = {settings.exploration_per_day} is above measure.k = {k}, the "
            "customers they look at a day"
        )
    desk = _Desk(truth, alert_ids, settings, seed)
    ranking = Ranking(scores, truth)
    done: list[Investigation] = []
    for day in days_of(truth):
        ranking.advance(day)
        top = ranking.order()[: k - settings.exploration_per_day]
        done += desk.look_at(day, top, ranking, BY_RANK, 1.0)
        ranking.remove(top)
        others = np.flatnonzero(ranking.is_open)
        explored = desk.draw(day, others)
        done += desk.look_at(day, explored, ranking, BY_EXPLORATION, len(explored) / max(1, len(others)))
        ranking.remove(explored)
    return sorted(done, key=lambda one: (one.finding.found_at_ns, one.finding.customer_id))


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who looks, with how much luck."""

    truth: Truth
    alert_ids: Sequence[str]
    settings: Investigators
    seed: int

    def draw(self, day: int, others: Places) -> Places:
        """Customers to explore: those with the smallest draw of the day."""
        names = self.truth.customer_names
        luck = np.array([self._luck(names[place], f"explore {day}") for place in others])
        return others[np.argsort(luck, kind="stable")[: self.settings.exploration_per_day]]

    def look_at(
        self, day: int, customers: Places, ranking: Ranking, chosen_by: str, propensity: float
    ) -> Iterator[Investigation]:
        """Findings about these customers; an investigator sees what has happened by the end of the day."""
        now = day_end_ns(day)
        guilty = self.truth.suspicious_by(now)
        for place in customers.tolist():
            name, row = self.truth.customer_names[place], int(ranking.best_row[place])
            is_guilty = bool(guilty[place])
            mistakes = self.settings.missed_share if is_guilty else self.settings.wrongly_accused_share
            is_wrong = self._luck(name, "error") < mistakes
            finding = Finding(
                alert_id=self.alert_ids[row] if row != NOBODY else f"exploration-{day}-{name}"[:128],
                customer_id=name,
                found_at_ns=now + self._delay_ns(name),
                is_suspicious=is_guilty != is_wrong,
                market=self.truth.market_names[self.truth.market[place]],
            )
            score = float(ranking.best[place]) if row != NOBODY else None
            yield Investigation(finding, now, score, chosen_by, propensity, is_wrong)

    def _delay_ns(self, name: str) -> int:
        least, most = self.settings.delay_days_min, self.settings.delay_days_max
        return int((least + self._luck(name, "delay") * (most - least)) * NS_PER_DAY)

    def _luck(self, name: str, of: str) -> float:
        """Uniform in [0, 1), the same for the same seed, customer and purpose."""
        digest = hashlib.blake2b(f"{self.seed}\0{of}\0{name}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2**53


def write_findings(done: Sequence[Investigation], folder: Path) -> Path:
    """Write `findings.parquet` into a run folder; a later training reads it."""
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
        }
        for one in done
    ]
    path = folder / FINDINGS_FILE
    pq.write_table(pa.Table.from_pylist(rows, schema=FINDINGS_SCHEMA), path)
    return path


def investigation_results(done: Sequence[Investigation], k: int, settings: Investigators) -> InvestigationResults:
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
    )
