"""What a ranking of customers is worth: each stands where its best row puts it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.aml.labels import NO_PATTERN
from models.metrics import average_precision, roc_auc

SHARE = 0.10


@dataclass(frozen=True, slots=True)
class RankedCustomers:
    """`average_precision` and `roc_auc` of customers by their best score, `pattern_recall` the share of patterns with a
    member among the first `SHARE` of them (NaN without a pattern); `roc_auc` is None where all are alike."""

    customers: int
    suspicious: int
    patterns: int
    average_precision: float
    roc_auc: float | None
    pattern_recall: float

    def to_metrics(self) -> dict[str, float | int | None]:
        """As bundle.json has them."""
        return {
            "customers": self.customers,
            "suspicious_customers": self.suspicious,
            "patterns": self.patterns,
            "customer_average_precision": self.average_precision,
            "customer_roc_auc": self.roc_auc,
            "pattern_recall_at_10_percent": None if np.isnan(self.pattern_recall) else self.pattern_recall,
        }


def ranked_customers(
    customers: NDArray[np.integer],
    labels: NDArray[np.bool_],
    pattern: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> RankedCustomers:
    """Measure rows of customers (codes), all of shape [n], n ≥ 1; `pattern` is NO_PATTERN where a row is of none."""
    names, place = np.unique(customers, return_inverse=True)
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, place, scores)
    suspicious = np.zeros(len(names), dtype=np.bool_)
    np.logical_or.at(suspicious, place, labels)
    listed = np.zeros(len(names), dtype=np.bool_)
    listed[np.argsort(-best, kind="stable")[: max(1, round(SHARE * len(names)))]] = True
    shown = pattern != NO_PATTERN
    patterns = np.unique(pattern[shown])
    found = np.unique(pattern[shown & listed[place]])
    return RankedCustomers(
        customers=len(names),
        suspicious=int(suspicious.sum()),
        patterns=len(patterns),
        average_precision=average_precision(suspicious, best),
        roc_auc=roc_auc(suspicious, best),
        pattern_recall=len(found) / len(patterns) if len(patterns) else float("nan"),
    )
