"""What investigators found of a stream, as labels of its rows: selective, for only those looked at have any.

A finding is about a customer, not about transfers: it labels the customer's rows of the `EVIDENCE_DAYS` before it was
listed, those that an investigator has before him. Everybody else's rows have no label, and neither teach nor judge. A
customer who was drawn at random stands for all who might have been: its rows weigh 1 / propensity, at most
`WEIGHT_MAX`, the estimator of Horvitz & Thompson (Journal of the American Statistical Association 47, 1952) cut off.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.training_data import read_rows
from streams.labels import NS_PER_DAY

EVIDENCE_DAYS = 7
WEIGHT_MAX = 20.0
NEEDED = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("found_at_ns", pa.int64(), nullable=False),
        pa.field("is_suspicious", pa.bool_(), nullable=False),
        pa.field("listed_at_ns", pa.int64(), nullable=False),
        pa.field("propensity", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class FoundRows:
    """One entry a row [m]: whether it has a label, which, and its weight."""

    is_labelled: NDArray[np.bool_]
    is_suspicious: NDArray[np.bool_]
    weights: NDArray[np.float32]


def read_findings(path: Path) -> pa.Table:
    """A run's findings.parquet. Raises `BadInputError` naming file, column and row of what is missing."""
    return read_rows(path, NEEDED)


def found_rows(findings: pa.Table, customers: pa.Array, times: NDArray[np.int64], known_by_ns: int) -> FoundRows:
    """The labels of rows of `customers` (ids [m]) at `times` (ns, int64 [m]) by the findings known at `known_by_ns`;
    where several tell of a row, one that suspects it counts, and the largest weight."""
    labelled, suspicious = np.zeros(len(times), np.bool_), np.zeros(len(times), np.bool_)
    weights = np.ones(len(times), np.float32)
    told = findings.filter(pc.less_equal(findings["found_at_ns"], known_by_ns))
    names = pc.unique(told["customer_id"].cast(pa.string()).combine_chunks())
    place = pc.index_in(customers, value_set=names).fill_null(-1).to_numpy()
    order = np.argsort(place, kind="stable")
    ordered = place[order]
    who = pc.index_in(told["customer_id"].cast(pa.string()), value_set=names).to_numpy()
    listed, suspects = told["listed_at_ns"].to_numpy(), np.asarray(told["is_suspicious"].to_numpy(), dtype=np.bool_)
    weight = np.minimum(1.0 / np.maximum(told["propensity"].to_numpy(), 1e-9), WEIGHT_MAX)
    for finding in range(len(told)):
        own = order[np.searchsorted(ordered, who[finding]) : np.searchsorted(ordered, who[finding], side="right")]
        shown = own[(times[own] <= listed[finding]) & (times[own] > listed[finding] - EVIDENCE_DAYS * NS_PER_DAY)]
        labelled[shown] = True
        suspicious[shown] |= suspects[finding]
        weights[shown] = np.maximum(weights[shown], weight[finding])
    return FoundRows(labelled, suspicious, weights)
