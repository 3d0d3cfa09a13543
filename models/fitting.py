"""Fitting the model to labelled rows: autoencoder, way with the imbalance, trees, calibration, thresholds."""

from collections.abc import Callable, Sequence
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
from models.domain import CARD_FRAUD, ModelDomain
from models.features.catalog import FEATURES, Feature
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
    scores: NDArray[np.float64]
    """Calibrated scores of the rows that the validation part judges by, in their order."""


def fit_model(
    history: LabelledHistory,
    split: TimeSplit,
    settings: FitSettings,
    tell: Tell = silent,
    domain: ModelDomain = CARD_FRAUD,
) -> Fitted:
    """Fit on the window of `split`. Raises `BadInputError` when a part of it has too few frauds."""
    train, validation = split.rows(history.time_ns)
    window = np.concatenate([train, validation])
    taught, judging = history.teaching(train), history.judging(validation)
    check_frauds(history.labels[taught], "training")
    check_frauds(history.labels[judging], "validation")
    rng = np.random.default_rng(settings.seed)
    step = within(tell, "train autoencoder")
    autoencoder = None
    if settings.with_autoencoder:
        autoencoder = fit_autoencoder(history.values[train[~history.labels[train]]], settings.autoencoder, rng)
    step(0.8)
    everything = np.concatenate([window, split.later(history.time_ns)])
    errors = reconstruction_errors(autoencoder, history.values[everything])
    columns = trees_columns(history.values[everything], errors, settings, domain.features)
    rows, before, after = _parts(history, columns, everything, (len(train), len(window)))
    whole = whole_columns(domain.features)
    comparison = _compare(before, after, settings, rng, whole, within(tell, "compare imbalance methods"))
    booster, rounds = _fit_stopping(
        before, after, comparison, settings=settings, rng=rng, whole=whole, tell=within(tell, "train trees")
    )
    found = margins(booster, after.values, settings.nthread)
    calibration, losses = choose_calibration(after.labels, found)
    scores = calibration.scores(found)
    outcomes = Outcomes(after.labels, scores, domain.amounts(history.values[judging]), split.validation_days)
    choice = choose_thresholds(outcomes, settings.budget, settings.cost)
    telling = within(tell, "train trees on the whole window")
    final = _fit_whole(rows, comparison, rounds, settings=settings, rng=rng, whole=whole, tell=telling)
    days = history.time_ns[judging] // NS_PER_DAY
    validated = Validated(history.cards[judging], days, after.labels, scores, settings.card_precision_k)
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
        reference=_reference(history.values[history.describing(window)], scores, domain.feature_names),
        error_p99=float(np.quantile(errors[: len(window)][~history.labels[window]], 0.99)) if autoencoder else 0.0,
        scores=scores,
    )


def reconstruction_errors(autoencoder: Autoencoder | None, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The autoencoder's errors of rows (float32 [n, F]), float32 [n]; NaN without an autoencoder."""
    return np.full(len(values), np.nan, np.float32) if autoencoder is None else autoencoder.errors(values)


def trees_columns(
    values: NDArray[np.float32],
    errors: NDArray[np.float32],
    settings: FitSettings,
    features: Sequence[Feature] = FEATURES,
) -> NDArray[np.float32]:
    """What the trees are trained on, float32 [n, F + 1]: the features (float32 [n, F]) and the reconstruction error.
    A column that is left out is missing in every row, so that no tree ever splits on it."""
    columns = np.column_stack([values, errors])
    left_out = [i for i, feature in enumerate(features) if feature.family in settings.without_families]
    columns[:, left_out] = np.nan
    return columns


def whole_columns(features: Sequence[Feature] = FEATURES) -> NDArray[np.bool_]:
    """Which of the trees' columns hold whole numbers by kind (flags and codes), bool [F + 1]."""
    return np.array([*(feature.kind != "number" for feature in features), False])


def _parts(
    history: LabelledHistory, columns: NDArray[np.float32], numbers: NDArray[np.int64], cuts: tuple[int, int]
) -> tuple[Rows, Rows, Rows]:
    """The rows that teach the last fit, those of them in the training part, and those that judge in the validation
    part. `columns` are of the rows `numbers`: training part, validation part, what came later, divided at `cuts`."""
    labels = history.labels[numbers]
    weights = None if history.weights is None else history.weights[numbers]

    def part(chosen: slice | NDArray[np.bool_]) -> Rows:
        return Rows(columns[chosen], labels[chosen], None if weights is None else weights[chosen])

    if history.teaches is None:
        whole, before = part(slice(None)), part(slice(cuts[0]))
    else:
        teaching = history.teaches[numbers]
        whole, before = part(teaching), part(teaching & (np.arange(len(numbers)) < cuts[0]))
    after = slice(*cuts)
    judges = slice(None) if history.judges is None else history.judges[numbers[after]]
    return whole, before, Rows(columns[after][judges], labels[after][judges])


def _compare(
    before: Rows,
    after: Rows,
    settings: FitSettings,
    rng: np.random.Generator,
    whole: NDArray[np.bool_],
    tell: Callable[[float], None],
) -> Comparison:
    return compare_methods(
        before, after, whole, settings.boosting, settings.imbalance,
        rng=rng, seed=settings.seed, nthread=settings.nthread, tell=tell,
    )  # fmt: skip


def _fit_stopping(
    before: Rows,
    after: Rows,
    comparison: Comparison,
    *,
    settings: FitSettings,
    rng: np.random.Generator,
    whole: NDArray[np.bool_],
    tell: Callable[[float], None],
) -> tuple[xgboost.Booster, int]:
    """Trees that have not seen the validation part (they may stop early on it), and how many rounds were kept."""
    rows, objective = prepared(comparison.chosen, before, whole, settings.imbalance, rng)
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
    whole: NDArray[np.bool_],
    tell: Callable[[float], None],
) -> xgboost.Booster:
    """The same method and rounds on the whole window: frauds change, and the newest days are the most telling."""
    ready, objective = prepared(comparison.chosen, rows, whole, settings.imbalance, rng)
    return fit_trees(
        ready, None, settings.boosting, seed=settings.seed, nthread=settings.nthread, rounds=rounds,
        objective=objective, tell=tell,
    )  # fmt: skip


def _reference(values: NDArray[np.float32], scores: NDArray[np.float64], names: Sequence[str]) -> dict[str, Any]:
    features = {name: ReferenceBins.fit(values[:, i]).to_dict() for i, name in enumerate(names)}
    return {"score": ReferenceBins.fit(scores).to_dict(), "features": features}
