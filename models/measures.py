"""What a model's scores are worth on its validation part: the metrics of bundle.json, with their intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bootstrap import Scored, intervals
from models.calibrating import reliability
from models.metrics import average_precision, card_precision, roc_auc
from models.threshold import ThresholdChoice, wilson_low


@dataclass(frozen=True, slots=True)
class Validated:
    """Events that the trees had not seen, all of shape [n]: codes of `cards`, numbers of `days`, `labels` as known when
    training, calibrated `scores`. `k` cards are looked at a day."""

    cards: NDArray[np.integer]
    days: NDArray[np.integer]
    labels: NDArray[np.bool_]
    scores: NDArray[np.float64]
    k: int


def measures(events: Validated, choice: ThresholdChoice, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The metrics, and the reliability of the scores. Intervals (`…_low`, `…_high`, 95%) come from resampled cards."""
    labels, scores = events.labels, events.scores
    cards = card_precision(events.cards, events.days, labels, scores, events.k)
    reliable = reliability(labels, scores)
    blocks = np.array([choice.block_alerts])
    found: dict[str, Any] = {
        "period": "validation",
        "events": len(labels),
        "frauds": int(labels.sum()),
        "average_precision": average_precision(labels, scores),
        "roc_auc": roc_auc(labels, scores),
        "card_precision_at_k": cards.mean,
        "card_precision_at_k_ceiling": cards.ceiling,
        "k": events.k,
        "alerts": choice.alerts,
        "alert_precision": choice.precision,
        "alert_recall": choice.recall,
        "block_alerts": choice.block_alerts,
        "block_precision": choice.block_precision,
        "block_precision_low": float(wilson_low(np.array([choice.block_precision]), blocks)[0]) if blocks[0] else None,
        "brier": reliable["brier"],
        "ece": reliable["ece"],
    }
    review = choice.thresholds.review
    scored = Scored(events.cards, events.days, labels, scores, events.k, review)
    for name, interval in intervals(scored, seed).items():
        found[f"{name}_low"], found[f"{name}_high"] = interval.low, interval.high
    return found, reliable
