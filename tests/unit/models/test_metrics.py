"""Metrics against plain loops."""

import numpy as np
import pandas as pd

from models.metrics import average_precision, card_precision, roc_auc


def slow_card_precision(frame: pd.DataFrame, k: int) -> list[float]:
    found: set[int] = set()
    precisions = []
    for _, day in frame.groupby("day"):
        left = day[~day.card.isin(found)].groupby("card").agg(score=("score", "max"), label=("label", "max"))
        top = left.reset_index().sort_values(["score", "card"], ascending=[False, True]).head(k)
        hits = set(top.card[top.label])
        precisions.append(len(hits) / k)
        found |= hits
    return precisions


def test_card_precision_equals_a_slow_count() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "card": rng.integers(0, 80, 2_000), "day": rng.integers(0, 6, 2_000),
            "label": rng.random(2_000) < 0.05, "score": rng.integers(0, 200, 2_000) / 200,
        }
    )  # fmt: skip
    cards, days, labels, scores = (frame[name].to_numpy() for name in ("card", "day", "label", "score"))
    found = card_precision(cards, days, labels, scores, k=10)
    assert list(found.by_day) == slow_card_precision(frame, 10)
    assert found.mean == np.mean(found.by_day)
    assert found.mean <= found.ceiling <= 1.0


def test_a_perfect_ranking_reaches_the_ceiling() -> None:
    labels = np.array([True, False, True, False])
    found = card_precision(np.arange(4), np.zeros(4, dtype=np.int64), labels, labels.astype(np.float64), k=3)
    assert found.mean == found.ceiling == 2 / 3
    nothing = np.empty(0, dtype=np.int64)
    assert card_precision(nothing, nothing, nothing.astype(np.bool_), nothing.astype(np.float64), 5).mean == 0.0


def test_curves_without_one_class() -> None:
    labels, scores = np.zeros(3, dtype=np.bool_), np.array([0.1, 0.2, 0.3])
    assert average_precision(labels, scores) == 0.0
    assert roc_auc(labels, scores) is None
    assert roc_auc(~labels, scores) is None
    assert roc_auc(np.array([False, False, True]), scores) == 1.0
