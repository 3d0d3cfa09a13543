"""Reliability: a score that means what it says has no error, one that exaggerates has as much as it exaggerates."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from harness.quality.reliability import reliability


def test_a_calibrated_score_lies_within_its_intervals() -> None:
    random = np.random.default_rng(1)
    score = random.beta(0.3, 6, 40_000)
    fraud = random.random(40_000) < score
    found = reliability(fraud, score)
    assert found is not None
    assert found["brier"] == pytest.approx(brier_score_loss(fraud, score))
    assert found["ece"] < 0.01
    within = [row["observed_low"] <= row["mean_score"] <= row["observed_high"] for row in found["bins"]]
    assert sum(within) >= len(within) - 2
    assert sum(row["events"] for row in found["bins"]) == 40_000
    assert sum(row["frauds"] for row in found["bins"]) == fraud.sum()
    assert len(found["bins"]) == 15
    assert all(a["high"] < b["low"] for a, b in zip(found["bins"], found["bins"][1:], strict=False))


def test_exaggeration_is_the_error() -> None:
    fraud = np.zeros(1_000, bool)
    fraud[:100] = True
    found = reliability(fraud, np.full(1_000, 0.35))
    assert found is not None
    assert found["ece"] == pytest.approx(0.25)
    assert len(found["bins"]) == 1
    assert found["brier_base"] == pytest.approx(0.09)


def test_equal_scores_share_a_bin_and_nothing_has_no_bins() -> None:
    score = np.repeat([0.1, 0.9], [95, 5])
    found = reliability(score > 0.5, score)
    assert found is not None
    assert [row["events"] for row in found["bins"]] == [95, 5]
    assert reliability(np.empty(0, bool), np.empty(0)) is None
