"""What is found among the most suspicious customers of the whole stream: 1, 2, 5 and 10% of them, or another share."""

import math

import numpy as np

from harness.aml.ranking import CustomerScores, Places
from harness.aml.recall import ALWAYS, pattern_recall
from harness.aml.results import Budget, Spread
from harness.aml.spread import budget_replicates
from harness.aml.truth import NEVER, Truth
from harness.quality.bootstrap import Draws
from harness.quality.cards import tie_order
from harness.quality.flags import share
from harness.quality.intervals import percentile_interval
from harness.quality.scored import Scores

SHARES = (0.01, 0.02, 0.05, 0.10)


def rank_all(scores: CustomerScores, truth: Truth) -> tuple[Scores, Places]:
    """Where each customer stands, and all customers in order; those without any score come last."""
    best = scores.standing(len(truth))
    return best, np.lexsort((tie_order(truth.customer_names), -best))


def measure_budget(truth: Truth, best: Scores, order: Places, part: float, draws: Draws) -> Budget:
    """The first ⌈part · customers⌉ of `order`; whoever has no score is never among them."""
    places = math.ceil(part * len(truth) - 1e-9)
    chosen = order[:places]
    chosen = chosen[best[chosen] >= 0]
    found_ns = np.full(len(truth), NEVER)
    found_ns[chosen[truth.is_suspicious[chosen]]] = ALWAYS
    found = int((found_ns < NEVER).sum())
    precision = share(found, len(chosen))
    base = share(int(truth.is_suspicious.sum()), len(truth))
    precisions, lifts = budget_replicates(truth, best, order, part, draws)
    return Budget(
        share=part,
        customers=places,
        ranked=len(chosen),
        found=found,
        precision=spread(precision, precisions),
        lift=spread(precision / base if precision is not None and base else None, lifts),
        recall=pattern_recall(truth, found_ns),
    )


def spread(value: float | None, replicates: Scores) -> Spread:
    """A figure with the interval of its replicates; none where there is no figure."""
    edges = percentile_interval(replicates) if value is not None else {"low": None, "high": None}
    return Spread(value=value, low=edges["low"], high=edges["high"])
