"""What a fault costs in quality: the decisions made while it was felt, beside those that would have been made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.faults.counterfactual import Would
from harness.quality.cards import card_precision, mean_precision
from harness.quality.flags import threshold_measures
from harness.quality.scored import Scored, gather
from harness.results import FaultQuality
from streams.stored_rows import StoredRows

Int64s = npt.NDArray[np.int64]
COLUMNS = ("event_id", "ordinal", "status", "outcome", "score", "path", "response_ns")
OF_EVENTS = ("event_id", "event_time_ns", "card_id", "amount_minor")
OF_LABELS = ("event_id", "is_fraud", "scenario", "look_alike")


@dataclass(frozen=True, slots=True)
class Truth:
    """The events `ordinals` (int64 [n], ascending) of a run and their labels, row by row, and the K of its
    precision@K."""

    ordinals: Int64s
    events: pa.Table
    labels: pa.Table
    k: int

    @classmethod
    def of(cls, events: StoredRows, labels: StoredRows, ordinals: Int64s, k: int) -> "Truth":
        """Of files of which a fault touches a part: nothing else of them is kept."""
        rows = np.unique(ordinals)
        happened, known = (
            pa.concat_tables(stored.in_turn(columns, rows))
            for stored, columns in ((events, OF_EVENTS), (labels, OF_LABELS))
        )
        return cls(rows, happened, known, k)

    def rows(self, ordinals: Int64s) -> pa.Array:
        """Where these events are in the tables."""
        return pa.array(np.searchsorted(self.ordinals, ordinals))


def price(decisions: pa.Table, ordinals: Int64s, would: Mapping[str, Would], truth: Truth) -> FaultQuality:
    """The price over the events of these ordinals, all of which `truth` has; `decisions` has `COLUMNS`. A lost event
    was never flagged."""
    rows = truth.rows(ordinals)
    events, labels = truth.events.take(rows), truth.labels.take(rows)
    made = decisions.filter(pc.is_in(decisions["ordinal"], value_set=pa.array(ordinals)))
    known = [event_id in would for event_id in made["event_id"].to_pylist()]
    other = _replaced(made.filter(pa.array(known)), would)
    as_made, as_would = gather(made, events, labels), gather(other, events, labels)
    missed = as_would.flagged & ~as_made.flagged
    return FaultQuality(
        events=len(as_made),
        frauds=int(as_made.is_fraud.sum()),
        k=truth.k,
        precision_at_k=_precision(as_made, truth.k),
        precision_at_k_model=_precision(as_would, truth.k),
        recall=_recall(as_made),
        recall_model=_recall(as_would),
        alerts_missed=int(missed.sum()),
        frauds_missed=int((missed & as_made.is_fraud).sum()),
        alerts_more=int((as_made.flagged & ~as_would.flagged).sum()),
    )


def _replaced(decisions: pa.Table, would: Mapping[str, Would]) -> pa.Table:
    found = [would[event_id] for event_id in decisions["event_id"].to_pylist()]
    columns: dict[str, Any] = {
        "outcome": pa.array([one.outcome for one in found], pa.string()),
        "score": pa.array([one.score for one in found], pa.float64()),
    }
    for name, values in columns.items():
        decisions = decisions.set_column(decisions.column_names.index(name), name, values)
    return decisions


def _precision(scored: Scored, k: int) -> float | None:
    return mean_precision(card_precision(scored, k))


def _recall(scored: Scored) -> float | None:
    found: float | None = threshold_measures(scored)["recall"]
    return found
