"""Fitting the model to labelled rows: autoencoder, way with the imbalance, trees, calibration, thresholds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from models.autoencoder import Autoencoder, AutoencoderSettings, fit_autoencoder
from models.boosting import BoostingSettings, Rows, fit_trees, margins
from models.calibrating import choose_calibration
from models.calibration import Calibration
from models.cost import CostMatrix
from models.features.catalog import FEATURE_INDEX, FEATURE_NAMES, FEATURES
from models.imbalance import Comparison, ImbalanceSettings, compare_methods, prepared
from models.measures import Validated, measures
from models.progress import Tell, silent, within
from models.threshold import AlertBudget, Outcomes, ThresholdChoice, choose_thresholds
from models.training_data import LabelledHistory, TimeSplit, check_frauds
from streams.causes import Cause
from streams.labels import NS_PER_DAY
from streams.reference_bins import ReferenceBins


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Everything that shapes the fit; the autoencoder, the trees and the samplers all draw from `seed`.

    `with_autoencoder` gives the trees the reconstruction error as one more column. `without_families` are families of
    features the trees do not get. With `cost` the thresholds follow the costs, otherwise the budget of alerts.

    One thread by default: OpenMP's threads spin while they wait for each other, so that on a machine with other work to
    do two were several times slower than one (start with `OMP_WAIT_POLICY=PASSIVE` when asking for more).
    """

    seed: int = 20_180_725
    nthread: int = 1
    card_precision_k: int = 100
    with_autoencoder: bool = False
    without_families: tuple[Cause, ...] = ()
    boosting: BoostingSettings = field(default_factory=BoostingSettings)
    autoencoder: AutoencoderSettings = field(default_factory=AutoencoderSettings)
    imbalance: ImbalanceSettings = field(default_factory=ImbalanceSettings)
    budget: AlertBudget = field(default_factory=AlertBudget)
    cost: CostMatrix | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The fitted parts. `booster` has seen the whole window; calibration, thresholds, metrics and the score's reference
    come from a booster that had not seen the validation part, which is how the final one meets the stream."""

    autoencoder: Autoencoder | None
    booster: xgboost.Booster
    rounds: int
    comparison: Comparison
    calibration: Calibration
    calibration_losses: dict[str, float]
    reliability: dict[str, Any]
    choice: ThresholdChoice
    metrics: dict[str, Any]
    reference: dict[str, Any]
    error_p99: float


def fit_model(history: LabelledHistory, split: TimeSplit, settings: FitSettings, tell: Tell = silent) -> Fitted:
    """Fit on the window of `split`. Raises `BadInputError` when a part of it has too few frauds."""
    train, validation = split.rows(history.time_ns)
    check_frauds(history.labels[train], "training")
    check_frauds(history.labels[validation], "validation")
    rng = np.random.default_rng(settings.seed)
    step = within(tell, "train autoencoder")
    autoencoder = None
    if settings.with_autoencoder:
        autoencoder = fit_autoencoder(history.values[train[~history.labels[train]]], settings.autoencoder, rng)
    step(0.8)
    window = np.concatenate([train, validation])
    errors = reconstruction_errors(autoencoder, history.values[window])
    rows = Rows(trees_columns(history.values[window], errors, settings), history.labels[window])
    before, after = _parts(rows, len(train))
    comparison = _compare(before, after, settings, rng, within(tell, "compare imbalance methods"))
    booster, rounds = _fit_stopping(
        before, after, comparison, settings=settings, rng=rng, tell=within(tell, "train trees")
    )
    found = margins(booster, after.values, settings.nthread)
    calibration, losses = choose_calibration(after.labels, found)
    scores = calibration.scores(found)
    amounts = history.values[validation, FEATURE_INDEX["amount"]].astype(np.float64)
    outcomes = Outcomes(after.labels, scores, amounts, split.validation_days)
    choice = choose_thresholds(outcomes, settings.budget, settings.cost)
    whole = within(tell, "train trees on the whole window")
    final = _fit_whole(rows, comparison, rounds, settings=settings, rng=rng, tell=whole)
    days = history.time_ns[validation] // NS_PER_DAY
    validated = Validated(history.cards[validation], days, after.labels, scores, settings.card_precision_k)
    metrics, reliable = measures(validated, choice, settings.seed)
    return Fitted(
        autoencoder=autoencoder,
        booster=final,
        rounds=rounds,
        comparison=comparison,
        calibration=calibration,
        calibration_losses=losses,
        reliability=reliable,
        choice=choice,
        metrics=metrics,
        reference=_reference(history.values[window], scores),
        error_p99=float(np.quantile(errors[~rows.labels], 0.99)) if autoencoder else 0.0,
    )


def reconstruction_errors(autoencoder: Autoencoder | None, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The autoencoder's errors of rows (float32 [n, F]), float32 [n]; NaN without an autoencoder."""
    return np.full(len(values), np.nan, np.float32) if autoencoder is None else autoencoder.errors(values)


def trees_columns(
    values: NDArray[np.float32], errors: NDArray[np.float32], settings: FitSettings
) -> NDArray[np.float32]:
    """What the trees are trained on, float32 [n, F + 1]: the features (float32 [n, F]) and the reconstruction error.
    A column that is left out is missing in every row, so that no tree ever splits on it."""
    columns = np.column_stack([values, errors])
    left_out = [i for i, feature in enumerate(FEATURES) if feature.family in settings.without_families]
    columns[:, left_out] = np.nan
    return columns


def whole_columns() -> NDArray[np.bool_]:
    """Which of the trees' columns hold whole numbers by kind (flags and codes), bool [F + 1]."""
    return np.array([*(feature.kind != "number" for feature in FEATURES), False])


def _parts(rows: Rows, train: int) -> tuple[Rows, Rows]:
    before = Rows(rows.values[:train], rows.labels[:train])
    return before, Rows(rows.values[train:], rows.labels[train:])


def _compare(
    before: Rows, after: Rows, settings: FitSettings, rng: np.random.Generator, tell: Callable[[float], None]
) -> Comparison:
    return compare_methods(
        before, after, whole_columns(), settings.boosting, settings.imbalance,
        rng=rng, seed=settings.seed, nthread=settings.nthread, tell=tell,
    )  # fmt: skip


def _fit_stopping(
    before: Rows,
    after: Rows,
    comparison: Comparison,
    *,
    settings: FitSettings,
    rng: np.random.Generator,
    tell: Callable[[float], None],
) -> tuple[xgboost.Booster, int]:
    """Trees that have not seen the validation part (they may stop early on it), and how many rounds were kept."""
    rows, objective = prepared(comparison.chosen, before, whole_columns(), settings.imbalance, rng)
    booster = fit_trees(
        rows, after, settings.boosting, seed=settings.seed, nthread=settings.nthread, objective=objective, tell=tell
    )
    return booster, booster.num_boosted_rounds()


def _fit_whole(
    rows: Rows,
    comparison: Comparison,
    rounds: int,
    *,
    settings: FitSettings,
    rng: np.random.Generator,
    tell: Callable[[float], None],
) -> xgboost.Booster:
    """The same method and rounds on the whole window: frauds change, and the newest days are the most telling."""
    ready, objective = prepared(comparison.chosen, rows, whole_columns(), settings.imbalance, rng)
    return fit_trees(
        ready, None, settings.boosting, seed=settings.seed, nthread=settings.nthread, rounds=rounds,
        objective=objective, tell=tell,
    )  # fmt: skip


def _reference(values: NDArray[np.float32], scores: NDArray[np.float64]) -> dict[str, Any]:
    features = {name: ReferenceBins.fit(values[:, i]).to_dict() for i, name in enumerate(FEATURE_NAMES)}
    return {"score": ReferenceBins.fit(scores).to_dict(), "features": features}
