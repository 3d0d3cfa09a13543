"""Fitting a calibration, and measuring how reliable scores are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.calibration import UNCALIBRATED, Calibration, CalibrationMethod
from models.logistic import probability

METHODS: tuple[CalibrationMethod, ...] = ("none", "platt", "beta")
SLOPE_MIN, SLOPE_MAX = 0.05, 4.0
"""Bounds of the slopes: above 0 the score rises with the margin, so that no rank changes and no tie arises; below 4 it
stays away from 0 and 1."""
FOLDS = 5
GAIN_MIN = 0.005
"""How much lower, relative, a fitted method's log loss must be out of its own fit than the logistic function's."""
FITTED_ON = "validation"
Margins = NDArray[np.floating]
Scores = NDArray[np.float64]


def log_loss(labels: NDArray[np.bool_], log_odds: Scores) -> float:
    """Mean negative log-likelihood in nats."""
    return float(np.mean(np.logaddexp(0.0, np.where(labels, -log_odds, log_odds))))


def fit_method(method: CalibrationMethod, labels: NDArray[np.bool_], margin: Margins) -> Calibration:
    """Maximum likelihood of a method's slopes and intercept.

    With Platt's targets, (n₁ + 1) / (n₁ + 2) for the n₁ frauds and 1 / (n₀ + 2) for the n₀ genuine events, so that
    parts that can be told apart perfectly do not run to infinity.
    """
    if method == "none":
        return UNCALIBRATED
    exact = np.asarray(margin, dtype=np.float64)
    frauds, genuine = int(labels.sum()), int((~labels).sum())
    target = np.where(labels, (frauds + 1.0) / (frauds + 2.0), 1.0 / (genuine + 2.0))
    low, high = -np.logaddexp(0.0, -exact), np.logaddexp(0.0, exact)
    columns = np.column_stack([exact] if method == "platt" else [low, high])

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = columns @ parameters[:-1] + parameters[-1]
        residual = (probability(z) - target) / len(z)
        value = float(np.mean(np.logaddexp(0.0, z) - target * z))
        return value, np.append(columns.T @ residual, residual.sum())

    slopes = columns.shape[1]
    found = minimize(
        loss, np.append(np.ones(slopes), 0.0), jac=True, method="L-BFGS-B",
        bounds=[(SLOPE_MIN, SLOPE_MAX)] * slopes + [(-20.0, 20.0)], options={"maxiter": 200},
    )  # fmt: skip
    values = [float(value) for value in found.x]
    return Calibration(method, values[0], values[slopes - 1], values[-1])


def choose_calibration(labels: NDArray[np.bool_], margin: Margins) -> tuple[Calibration, dict[str, float]]:
    """The method with the lowest log loss on parts it was not fitted on (`FOLDS` stretches of the rows, which are in
    time order), fitted on all of them; the logistic function itself unless the gain is `GAIN_MIN`. And every method's
    loss. Labels bool [n], margins float32 [n]."""
    parts = np.arange(len(labels)) * FOLDS // max(1, len(labels))
    losses: dict[CalibrationMethod, float] = {}
    for method in METHODS:
        found = np.empty(len(labels))
        for part in range(FOLDS):
            here = parts == part
            if here.any():
                found[here] = fit_method(method, labels[~here], margin[~here]).log_odds(margin[here])
        losses[method] = log_loss(labels, found) if len(labels) else 0.0
    best: CalibrationMethod = min(METHODS, key=lambda method: losses[method])
    chosen: CalibrationMethod = best if losses[best] < losses["none"] * (1.0 - GAIN_MIN) else "none"
    return fit_method(chosen, labels, margin), {str(method): loss for method, loss in losses.items()}


RELIABILITY_EDGES = np.array([0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])
"""Lower ends of the reliability bins: frauds are rare, so the low scores are cut by orders of magnitude."""


def reliability(labels: NDArray[np.bool_], scores: Scores) -> dict[str, Any]:
    """How far scores are from the truth: `brier` the mean squared difference (Brier, Monthly Weather Review 78, 1950),
    `ece` Σ (events of the bin / events) · |share of fraud − mean score| (Naeini, Cooper & Hauskrecht, AAAI 2015),
    `reliability` the bins with their events. Labels bool [n], scores float64 [n], n ≥ 1."""
    place = np.searchsorted(RELIABILITY_EDGES, scores, side="right") - 1
    count = len(RELIABILITY_EDGES)
    events = np.bincount(place, minlength=count)
    total = np.bincount(place, weights=scores, minlength=count)
    frauds = np.bincount(place, weights=labels, minlength=count)
    highs = [*RELIABILITY_EDGES[1:].tolist(), 1.0]
    bins = [
        {
            "low": float(RELIABILITY_EDGES[i]), "high": highs[i], "events": int(events[i]), "frauds": int(frauds[i]),
            "mean_score": float(total[i] / events[i]), "observed": float(frauds[i] / events[i]),
        }
        for i in np.flatnonzero(events).tolist()
    ]  # fmt: skip
    return {
        "brier": float(np.mean((scores - labels) ** 2)),
        "ece": float(np.abs(total - frauds).sum() / len(scores)),
        "reliability": bins,
    }
