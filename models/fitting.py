"""Fitting the model to labelled rows: autoencoder, way with the imbalance, trees, thresholds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from models.autoencoder import Autoencoder, AutoencoderSettings, fit_autoencoder
from models.boosting import BoostingSettings, Rows, fit_trees, margins
from models.features.catalog import FEATURE_NAMES, FEATURES
from models.imbalance import Comparison, ImbalanceSettings, compare_methods, prepared
from models.metrics import average_precision, card_precision, roc_auc
from models.onnx_model import probability
from models.progress import Tell, silent, within
from models.threshold import AlertBudget, ThresholdChoice, choose_thresholds
from models.training_data import LabelledHistory, TimeSplit, check_frauds
from streams.labels import NS_PER_DAY
from streams.reference_bins import ReferenceBins


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Everything that shapes the fit; the autoencoder, the trees and the samplers all draw from `seed`.

    One thread by default: OpenMP's threads spin while they wait for each other, so that on a machine with other work to
    do two were several times slower than one (start with `OMP_WAIT_POLICY=PASSIVE` when asking for more).
    """

    seed: int = 20_180_725
    nthread: int = 1
    card_precision_k: int = 100
    boosting: BoostingSettings = field(default_factory=BoostingSettings)
    autoencoder: AutoencoderSettings = field(default_factory=AutoencoderSettings)
    imbalance: ImbalanceSettings = field(default_factory=ImbalanceSettings)
    budget: AlertBudget = field(default_factory=AlertBudget)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The fitted parts. `booster` has seen the whole window; thresholds, metrics and the score's reference come from
    a booster that had not seen the validation part, which is how the final one meets the stream."""

    autoencoder: Autoencoder
    booster: xgboost.Booster
    rounds: int
    comparison: Comparison
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
    autoencoder = fit_autoencoder(history.values[train[~history.labels[train]]], settings.autoencoder, rng)
    step(0.8)
    window = np.concatenate([train, validation])
    errors = autoencoder.errors(history.values[window])
    rows = Rows(np.column_stack([history.values[window], errors]), history.labels[window])
    before, after = _parts(rows, len(train))
    comparison = _compare(before, after, settings, rng, within(tell, "compare imbalance methods"))
    booster, rounds = _fit_stopping(
        before, after, comparison, settings=settings, rng=rng, tell=within(tell, "train trees")
    )
    scores = probability(margins(booster, after.values, settings.nthread))
    choice = choose_thresholds(after.labels, scores, split.validation_days, settings.budget)
    whole = within(tell, "train trees on the whole window")
    return Fitted(
        autoencoder=autoencoder,
        booster=_fit_whole(rows, comparison, rounds, settings=settings, rng=rng, tell=whole),
        rounds=rounds,
        comparison=comparison,
        choice=choice,
        metrics=_metrics(history, validation, scores, choice, settings.card_precision_k),
        reference=_reference(history.values[window], scores),
        error_p99=float(np.quantile(errors[~rows.labels], 0.99)),
    )


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
    """Trees that stop early on the validation part, and how many rounds were kept."""
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


def _metrics(
    history: LabelledHistory,
    validation: NDArray[np.int64],
    scores: NDArray[np.float64],
    choice: ThresholdChoice,
    k: int,
) -> dict[str, Any]:
    labels = history.labels[validation]
    days = history.time_ns[validation] // NS_PER_DAY
    cards = card_precision(history.cards[validation], days, labels, scores, k)
    return {
        "period": "validation",
        "events": len(labels),
        "frauds": int(labels.sum()),
        "average_precision": average_precision(labels, scores),
        "roc_auc": roc_auc(labels, scores),
        "card_precision_at_k": cards.mean,
        "card_precision_at_k_ceiling": cards.ceiling,
        "k": k,
        "alerts": choice.alerts,
        "alert_precision": choice.precision,
        "alert_recall": choice.recall,
        "block_alerts": choice.block_alerts,
        "block_precision": choice.block_precision,
    }


def _reference(values: NDArray[np.float32], scores: NDArray[np.float64]) -> dict[str, Any]:
    features = {name: ReferenceBins.fit(values[:, i]).to_dict() for i, name in enumerate(FEATURE_NAMES)}
    return {"score": ReferenceBins.fit(scores).to_dict(), "features": features}
