"""Focal loss against numeric derivatives, SMOTE with missing values, and the comparison of the methods."""

from types import SimpleNamespace

import numpy as np
import pytest

from models.boosting import Rows
from models.fitting import Fitted
from models.imbalance import (
    METHODS,
    ImbalanceSettings,
    bounded_sample,
    class_weights,
    focal_derivatives,
    focal_objective,
    oversample,
)
from models.training_data import LabelledHistory


def focal_loss(margin: np.ndarray, labels: np.ndarray, gamma: float, alpha: float) -> np.ndarray:
    p = 1 / (1 + np.exp(-np.where(labels, margin, -margin)))
    loss: np.ndarray = -np.where(labels, alpha, 1 - alpha) * (1 - p) ** gamma * np.log(p)
    return loss


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("alpha", [0.25, 0.5])
def test_focal_derivatives_equal_numeric_ones(gamma: float, alpha: float) -> None:
    margin = np.tile(np.linspace(-8, 8, 81), 2)
    labels = np.repeat([True, False], 81)
    first, second = focal_derivatives(margin, labels, gamma, alpha)
    step = 1e-4
    low, mid, high = (focal_loss(margin + offset, labels, gamma, alpha) for offset in (-step, 0.0, step))
    np.testing.assert_allclose(first, (high - low) / (2 * step), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(second, (high - 2 * mid + low) / step**2, rtol=1e-4, atol=2e-6)


def test_focal_derivatives_without_focus_are_the_log_loss_and_never_overflow() -> None:
    labels = np.array([True, False])
    first, second = focal_derivatives(np.array([0.3, 0.3]), labels, 0.0, 0.5)
    p = 1 / (1 + np.exp(-0.3))
    np.testing.assert_allclose(2 * first, [p - 1, p])
    np.testing.assert_allclose(2 * second, [p * (1 - p)] * 2)
    extreme = focal_derivatives(np.array([-800.0, 800.0, 800.0, -800.0]), np.array([True, False, True, False]))
    assert all(np.isfinite(part).all() for part in extreme)


def test_focal_objective_begins_like_the_log_loss_and_keeps_curvature_positive() -> None:
    labels = np.array([1.0, 0.0], dtype=np.float32)
    matrix = SimpleNamespace(get_label=lambda: labels)
    _, second = focal_objective()(np.array([-9.0, 9.0], dtype=np.float32), matrix)
    assert (second > 0).all()


def test_smote_keeps_what_was_and_leaves_gaps_where_both_parents_have_them() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(100, 5, (400, 4)).astype(np.float32)
    labels = np.arange(400) < 10
    values[labels] += np.float32(50)
    values[:, 1] = np.nan
    values[:, 2] = rng.integers(0, 2, 400)
    values[rng.random(400) < 0.3, 3] = np.nan
    whole = np.array([False, False, True, False])
    rows = oversample(Rows(values, labels), whole, ImbalanceSettings(smote_share=0.25), np.random.default_rng(2))
    np.testing.assert_array_equal(rows.values[:400], values)
    added = rows.values[400:]
    assert rows.labels[400:].all()
    assert rows.labels.sum() == int(0.25 * 390)
    assert np.isnan(added[:, 1]).all()
    assert set(np.unique(added[:, 2])) <= {0.0, 1.0}
    assert added[:, 0].min() >= values[labels, 0].min() - 1e-3
    assert added[:, 0].max() <= values[labels, 0].max() + 1e-3


def test_smote_without_enough_frauds_changes_nothing() -> None:
    rows = Rows(np.ones((50, 2), dtype=np.float32), np.arange(50) == 0)
    whole = np.zeros(2, dtype=np.bool_)
    assert oversample(rows, whole, ImbalanceSettings(), np.random.default_rng(0)) is rows


def test_class_weights_and_bounded_sample() -> None:
    labels = np.arange(101) == 100
    assert class_weights(labels)[-1] == pytest.approx(10.0)
    assert (class_weights(labels)[:-1] == 1.0).all()
    rows = Rows(np.arange(101, dtype=np.float32)[:, None], labels)
    sample = bounded_sample(rows, 20, np.random.default_rng(0))
    assert len(sample.labels) == 20
    assert (np.diff(sample.values[:, 0]) > 0).all()
    assert bounded_sample(rows, 101, np.random.default_rng(0)) is rows


def test_every_method_is_compared_and_finds_frauds(fitted: Fitted, history: LabelledHistory) -> None:
    compared = fitted.comparison.compared
    assert set(compared) == set(METHODS)
    assert min(compared.values()) > 5 * history.labels.mean()
    best = max(compared.values())
    assert compared[fitted.comparison.chosen] >= best / 1.01 - 1e-12
