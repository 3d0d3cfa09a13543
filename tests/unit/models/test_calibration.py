"""Calibration keeps every rank, finds distortions that were put in, and measures what is left of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_expit

from models.bundle import Bundle
from models.calibrating import METHODS, choose_calibration, fit_method, reliability
from models.calibration import UNCALIBRATED, Calibration
from models.logistic import probability
from models.onnx_model import OnnxModel

slopes = st.floats(0.05, 4.0)
margin_lists = st.lists(st.floats(-12, 8, width=32), min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(margin_lists, slopes, slopes, st.floats(-3, 3))
def test_beta_is_the_papers_formula(values: list[float], a: float, b: float, c: float) -> None:
    margin = np.array(values, dtype=np.float32)
    exact = margin.astype(np.float64)
    expected = expit(a * log_expit(exact) - b * log_expit(-exact) + c)
    np.testing.assert_allclose(Calibration("beta", a, b, c).scores(margin), expected, rtol=1e-9, atol=1e-300)


@settings(max_examples=200, deadline=None)
@given(margin_lists, slopes, slopes, st.floats(-3, 3))
def test_no_rank_changes_and_no_row_depends_on_its_neighbours(
    values: list[float], a: float, b: float, c: float
) -> None:
    margin = np.array(values, dtype=np.float32)
    neighbours = np.concatenate([margin, np.nextafter(margin, np.float32(100))])
    for calibration in (Calibration("beta", a, b, c), Calibration("platt", a, a, c)):
        scores = calibration.scores(neighbours)
        order = np.argsort(neighbours, kind="stable")
        assert (np.diff(scores[order]) >= 0).all()
        if b * 8 + abs(c) < 20 and np.abs(margin).min() > 1e-6:  # where a double can tell them apart
            assert np.unique(scores).size == np.unique(neighbours).size
        alone = np.concatenate([calibration.scores(neighbours[i : i + 1]) for i in range(len(neighbours))])
        np.testing.assert_array_equal(alone, scores)


def drawn(rng: np.random.Generator, count: int, a: float, c: float) -> tuple[np.ndarray, np.ndarray]:
    margin = rng.normal(-3, 2, count).astype(np.float32)
    return rng.random(count) < expit(a * margin + c), margin


def test_a_distortion_is_found_and_undone() -> None:
    labels, margin = drawn(np.random.default_rng(5), 60_000, 0.6, 1.0)
    chosen, losses = choose_calibration(labels, margin)
    assert chosen.method in ("platt", "beta")
    assert losses[chosen.method] < losses["none"]
    platt = fit_method("platt", labels, margin)
    assert (platt.a, platt.c) == pytest.approx((0.6, 1.0), abs=0.06)
    before, after = (reliability(labels, scores) for scores in (probability(margin), chosen.scores(margin)))
    assert after["ece"] < before["ece"] / 5
    assert after["brier"] < before["brier"]


def test_what_is_calibrated_is_left_alone() -> None:
    labels, margin = drawn(np.random.default_rng(6), 20_000, 1.0, 0.0)
    chosen, _ = choose_calibration(labels, margin)
    assert chosen == UNCALIBRATED
    np.testing.assert_allclose(chosen.scores(margin), probability(margin), rtol=1e-15)


def test_parts_told_apart_perfectly_stay_within_bounds() -> None:
    margin = np.repeat(np.array([-6.0, 4.0], dtype=np.float32), 50)
    for method in METHODS[1:]:
        found = fit_method(method, margin > 0, margin)
        assert 0.05 <= found.a <= 4.0
        assert ((found.scores(margin) > 0) & (found.scores(margin) < 1)).all()


def test_reliability_adds_up() -> None:
    rng = np.random.default_rng(7)
    scores = rng.random(5_000) ** 4
    labels = rng.random(5_000) < scores
    found = reliability(labels, scores)
    bins = found["reliability"]
    assert sum(row["events"] for row in bins) == 5_000
    assert sum(row["frauds"] for row in bins) == labels.sum()
    assert all(row["low"] <= row["mean_score"] < row["high"] for row in bins)
    gap = sum(row["events"] * abs(row["observed"] - row["mean_score"]) for row in bins)
    assert found["ece"] == pytest.approx(gap / 5_000)


def test_the_bundle_gives_its_calibration_back(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    margin = OnnxModel(bundle).score(fresh_rows).margin
    told = bundle.manifest["calibration"]
    assert bundle.calibration == Calibration(told["method"], told["a"], told["b"], told["c"])
    np.testing.assert_array_equal(bundle.calibrated(margin), bundle.calibration.scores(margin))
    assert told["fitted_on"] == "validation"
    assert set(told["log_loss"]) == {"none", "platt", "beta"}
    with pytest.raises(ValueError, match="over 0"):
        Calibration.from_dict({"method": "platt", "a": -1.0, "b": 1.0, "c": 0.0})
