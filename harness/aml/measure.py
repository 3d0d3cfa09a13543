"""Everything said about whether a monitor is right: results.json's `aml`, and what of it is in `quality`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from harness.aml.budgets import SHARES, measure_budget, rank_all, spread
from harness.aml.depth import depths
from harness.aml.detection import time_to_detect
from harness.aml.ranking import CustomerScores, customer_scores
from harness.aml.recall import found_patterns, pattern_recall
from harness.aml.results import AmlResults, Budget, Spread, WorklistDay, Worklists
from harness.aml.spread import draw_customers, worklist_replicates
from harness.aml.stability import psi_by_market, psi_max
from harness.aml.truth import Truth
from harness.aml.worklists import ceiling, work
from harness.drift import Limits
from harness.quality.bootstrap import RankedReplicates, ranked_replicates
from harness.quality.curves import average_precision, precision_recall, roc_auc, thin
from harness.quality.intervals import CONFIDENCE
from harness.quality.scored import Scores


@dataclass(frozen=True, slots=True)
class Asked:
    """How it is measured. `k`: customers investigated a day. `k_share`: the budget by which `quality.pattern_recall` is
    taken. `reference`: score bins by market (see `market_references`). `seed` is the bootstrap's."""

    k: int
    k_share: float = 0.10
    reference: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Monitored:
    """`aml` and `quality` of results.json."""

    aml: AmlResults
    quality: dict[str, Any]


def measure_aml(scored: pa.Table, truth: Truth, asked: Asked) -> Monitored:
    """Measure scored alerts (`customer_id`, `event_time_ns`, `score`) against the truth.

    Raises BadInputError for scores outside 0 … 1.
    """
    scores = customer_scores(scored, truth)
    draws = draw_customers(truth, asked.seed)
    best, order = rank_all(scores, truth)
    lists = _worklists(scores, truth, asked.k, worklist_replicates(scores, truth, asked.k, draws))
    parts = sorted({*SHARES, asked.k_share})
    budgets = [measure_budget(truth, best, order, part, draws) for part in parts]
    stability = psi_by_market(scores, truth, asked.reference, asked.limits)
    aml = AmlResults(
        customers=len(truth),
        suspicious=int(truth.is_suspicious.sum()),
        patterns=len(truth.patterns),
        members=len(truth.member_pattern),
        members_unseen=truth.members_unseen,
        customers_excluded=truth.customers_excluded,
        patterns_excluded=truth.patterns_excluded,
        patterns_only_begun=truth.patterns_only_begun,
        scores=len(scores),
        scores_unknown=scores.unknown,
        worklists=lists.results,
        budgets=budgets,
        time_to_detect=time_to_detect(truth, found_patterns(truth, lists.found_ns)),
        psi_by_market=stability,
        psi_max=psi_max(stability),
        depths=depths(truth, best, order),
    )
    at_share = next(budget for budget in budgets if budget.share == asked.k_share)
    replicates = ranked_replicates(truth.is_suspicious, best, draws) if len(truth) else None
    quality = _quality(truth, best, aml, at_share, replicates)
    quality["bootstrap"] = {
        "unit": "customers linked by patterns",
        "cards": len(draws.names),
        "replicates": len(draws.weights),
        "seed": asked.seed,
        "method": "percentile",
        "confidence": CONFIDENCE,
    }
    return Monitored(aml, quality)


@dataclass(frozen=True, slots=True)
class _Lists:
    results: Worklists
    found_ns: Any


def _worklists(scores: CustomerScores, truth: Truth, k: int, replicates: tuple[Scores, Scores]) -> _Lists:
    worked = work(scores, truth, k)
    precisions, lifts = replicates
    results = Worklists(
        k=k,
        listed=sum(day.listed for day in worked.lists),
        found=sum(day.found for day in worked.lists),
        precision=spread(worked.precision, precisions),
        precision_ceiling=ceiling(worked, truth),
        lift=spread(worked.lift, lifts),
        recall=pattern_recall(truth, worked.found_ns),
        days=[WorklistDay(**day.to_dict()) for day in worked.lists],
    )
    return _Lists(results, worked.found_ns)


def _quality(
    truth: Truth, best: Scores, aml: AmlResults, at_share: Budget, replicates: RankedReplicates | None
) -> dict[str, Any]:
    """Customers stand where fraud has events; the keys that both have mean the same thing of them."""
    suspicious = truth.is_suspicious
    curve = precision_recall(suspicious, best)
    pr_auc = average_precision(suspicious, best)
    area = spread(pr_auc, replicates.average_precision) if replicates else Spread(value=pr_auc, low=None, high=None)
    recall = at_share.recall.overall
    lists = aml.worklists
    return {
        "customers": aml.customers,
        "suspicious": aml.suspicious,
        "patterns": aml.patterns,
        "k": lists.k,
        "precision_at_k": lists.precision.value,
        "precision_at_k_ceiling": lists.precision_ceiling,
        "lift_at_k": lists.lift.value,
        "k_share": at_share.share,
        "pattern_recall": recall.recall,
        "pattern_recall_half": recall.recall_half,
        "customer_recall": recall.customer_recall,
        "pr_auc": pr_auc,
        "roc_auc": roc_auc(suspicious, best),
        "precision_recall": [] if curve is None else [list(point) for point in thin(curve)],
        "intervals": {
            "precision_at_k": _edges(lists.precision),
            "lift_at_k": _edges(lists.lift),
            "pattern_recall": {"low": recall.recall_low, "high": recall.recall_high},
            "customer_recall": {"low": recall.customer_recall_low, "high": recall.customer_recall_high},
            "pr_auc": _edges(area),
        },
    }


def _edges(figure: Spread) -> dict[str, float | None]:
    return {"low": figure.low, "high": figure.high}
