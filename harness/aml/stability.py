"""Is each market's score stable? PSI of its scores against the reference of the same market."""

from collections.abc import Mapping
from typing import Any

from harness.aml.ranking import CustomerScores
from harness.aml.results import MarketStability
from harness.aml.truth import Truth
from harness.drift import EVENTS_MIN, Limits, stability_index
from streams.reference_bins import ReferenceBins


def market_references(scores: CustomerScores, truth: Truth) -> dict[str, dict[str, Any]]:
    """Reference bins of the scores of each market, as stored beside a bundle or a warm state."""
    market = truth.market[scores.customer]
    return {
        name: ReferenceBins.fit(scores.score[market == code]).to_dict()
        for code, name in enumerate(truth.market_names)
        if (market == code).any()
    }


def psi_by_market(
    scores: CustomerScores,
    truth: Truth,
    reference: Mapping[str, Mapping[str, Any]],
    limits: Limits | None = None,
    scores_min: int = EVENTS_MIN,
) -> dict[str, MarketStability]:
    """One entry a market with scores or a reference, by name. Fewer than `scores_min` scores: status unknown."""
    market = truth.market[scores.customer]
    found = {}
    for code, name in enumerate(truth.market_names):
        values = scores.score[market == code]
        if len(values) == 0 and name not in reference:
            continue
        index = stability_index(reference.get(name), values, limits or Limits(), scores_min)
        found[name] = MarketStability(
            value=index.value, threshold=index.threshold, status=index.status, scores=index.events
        )
    return dict(sorted(found.items()))


def psi_max(markets: Mapping[str, MarketStability]) -> float | None:
    """The largest PSI of the markets with enough scores to judge; None when none has."""
    judged = [row.value for row in markets.values() if row.value is not None and row.status != "unknown"]
    return max(judged, default=None)
