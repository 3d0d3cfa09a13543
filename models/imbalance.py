"""Few frauds among many genuine events: four ways to train on that, compared by average precision on a later period."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from imblearn.over_sampling import SMOTE
from numpy.typing import NDArray

from models.boosting import BoostingSettings, Objective, Rows, fit_trees, margins
from models.metrics import average_precision

Method = Literal["plain", "class_weight", "focal", "smote"]
METHODS: tuple[Method, ...] = ("plain", "class_weight", "focal", "smote")

FOCAL_GAMMA = 2.0
FOCAL_ALPHA = 0.5
HESSIAN_MIN = 1e-6
"""XGBoost divides by sums of second derivatives; the focal loss is not convex far from the truth: these are floored."""


@dataclass(frozen=True, slots=True)
class ImbalanceSettings:
    """`method` trains; None compares them all on this history and takes the best.

    Bounds of the comparison: `rows_max` rows are drawn for it, each method gets `rounds` boosting rounds, and must be
    better than plain training by `margin_min`, relative, to be taken. `smote_share`: frauds per genuine event after
    oversampling; `smote_genuine_max` bounds what SMOTE scales by.
    """

    method: Method | None = "plain"
    rows_max: int = 60_000
    rounds: int = 80
    smote_share: float = 0.05
    smote_genuine_max: int = 40_000
    margin_min: float = 0.01


@dataclass(frozen=True, slots=True)
class Comparison:
    """The method chosen and every compared method's average precision on the validation period."""

    chosen: Method
    compared: dict[str, float]


def focal_derivatives(
    margin: NDArray[np.floating], labels: NDArray[np.bool_], gamma: float = FOCAL_GAMMA, alpha: float = FOCAL_ALPHA
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and second derivative by the margin of −a · (1 − p)^γ · ln p, p the probability given to the true class.

    Lin et al., Focal loss for dense object detection (ICCV 2017), equation 5; a = `alpha` for frauds, 1 − `alpha` for
    genuine events.
    """
    side = np.where(labels, 1.0, -1.0)
    signed = side * np.asarray(margin, dtype=np.float64)
    log_p = -np.logaddexp(0.0, -signed)
    log_q = -np.logaddexp(0.0, signed)
    p, q = np.exp(log_p), np.exp(log_q)
    scale = np.where(labels, alpha, 1.0 - alpha) * np.exp(gamma * log_q)
    slope = gamma * p * log_p - q
    first = side * scale * slope
    second = scale * p * (q * (gamma * log_p + gamma + 1.0) - gamma * slope)
    return first, second


def focal_objective(gamma: float = FOCAL_GAMMA, alpha: float = FOCAL_ALPHA) -> Objective:
    """The focal loss as an XGBoost objective; scaled by 2 · 2^γ so that it begins with the log loss's derivatives."""
    scale = 2.0 * 2.0**gamma

    def objective(margin: NDArray[np.float32], matrix: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        first, second = focal_derivatives(margin, matrix.get_label() > 0.5, gamma, alpha)
        return scale * first, np.maximum(scale * second, HESSIAN_MIN)

    return objective


def class_weights(labels: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weight √(genuine / frauds) for frauds, 1 for genuine events: full balance drowns the ranking at the top."""
    frauds = max(1, int(labels.sum()))
    return np.where(labels, np.sqrt(max(1.0, (len(labels) - frauds) / frauds)), 1.0).astype(np.float32)


def oversample(rows: Rows, whole: NDArray[np.bool_], settings: ImbalanceSettings, rng: np.random.Generator) -> Rows:
    """`rows` with synthetic frauds appended (SMOTE, Chawla et al. 2002) up to `smote_share` of the genuine events, and
    at least as many as there were.

    SMOTE knows no missing values and measures Euclidean distance: columns are filled with their median and scaled, and
    whether a value was missing goes along as a column of its own, which decides by majority of the two parents where
    the synthetic row is missing. `whole` bool [columns] marks flags and codes, which are rounded.
    """
    frauds = np.flatnonzero(rows.labels)
    genuine = np.flatnonzero(~rows.labels)
    if len(frauds) < 2:
        return rows
    wanted = max(int(settings.smote_share * len(genuine)), 2 * len(frauds))
    if len(genuine) > settings.smote_genuine_max:
        genuine = np.sort(rng.choice(genuine, settings.smote_genuine_max, replace=False))
    chosen = np.concatenate([genuine, frauds])
    filled, missing, scale = _filled_and_scaled(rows.values[chosen])
    sampler = SMOTE(
        sampling_strategy={True: wanted}, k_neighbors=min(5, len(frauds) - 1), random_state=int(rng.integers(2**31))
    )
    resampled, _ = sampler.fit_resample(np.hstack([filled, missing]), rows.labels[chosen])
    columns = rows.values.shape[1]
    synthetic = resampled[len(chosen) :, :columns] * scale
    synthetic[:, whole] = np.rint(synthetic[:, whole])
    synthetic[resampled[len(chosen) :, columns:] > 0.5] = np.nan
    values = np.vstack([rows.values, synthetic.astype(np.float32)])
    return Rows(values, np.append(rows.labels, np.ones(len(synthetic), dtype=np.bool_)))


def _filled_and_scaled(
    values: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    missing = np.isnan(values)
    filled = values.astype(np.float64)
    scale = np.ones(values.shape[1])
    for column in range(values.shape[1]):
        known = filled[~missing[:, column], column]
        filled[missing[:, column], column] = np.median(known) if known.size else 0.0
        scale[column] = filled[:, column].std() or 1.0
    return filled / scale, missing.astype(np.float64), scale


def prepared(
    method: Method, rows: Rows, whole: NDArray[np.bool_], settings: ImbalanceSettings, rng: np.random.Generator
) -> tuple[Rows, Objective | None]:
    """Rows and objective with which `method` trains."""
    if method == "class_weight":
        return Rows(rows.values, rows.labels, class_weights(rows.labels)), None
    if method == "smote":
        return oversample(rows, whole, settings, rng), None
    return rows, focal_objective() if method == "focal" else None


def bounded_sample(rows: Rows, rows_max: int, rng: np.random.Generator) -> Rows:
    """At most `rows_max` rows drawn evenly, in their order: the share of frauds, which is what matters, stays."""
    if len(rows.labels) <= rows_max:
        return rows
    kept = np.sort(rng.choice(len(rows.labels), rows_max, replace=False))
    return Rows(rows.values[kept], rows.labels[kept])


def compare_methods(
    train: Rows,
    validation: Rows,
    whole: NDArray[np.bool_],
    boosting: BoostingSettings,
    settings: ImbalanceSettings,
    *,
    rng: np.random.Generator,
    seed: int,
    nthread: int,
    tell: Callable[[float], None] = lambda _: None,
) -> Comparison:
    """The method that is set. Without one, train each on the same bounded sample for the same rounds: the best on
    `validation` is chosen, plain training when none is better by `margin_min` (the simplest wins a draw)."""
    if settings.method is not None:
        tell(1.0)
        return Comparison(settings.method, {})
    sample = bounded_sample(train, settings.rows_max, rng)
    compared: dict[str, float] = {}
    for index, method in enumerate(METHODS):
        rows, objective = prepared(method, sample, whole, settings, rng)
        booster = fit_trees(
            rows, None, boosting, seed=seed, nthread=nthread, rounds=settings.rounds, objective=objective
        )
        compared[method] = average_precision(validation.labels, margins(booster, validation.values, nthread))
        tell((index + 1) / len(METHODS))
    best: Method = max(METHODS, key=lambda method: compared[method])
    enough = compared[best] > compared["plain"] * (1.0 + settings.margin_min)
    return Comparison(best if enough else "plain", compared)
