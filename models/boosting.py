"""Gradient-boosted trees: XGBoost's histogram method with early stopping on a later period."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

Objective = Callable[[NDArray[np.float32], Any], tuple[NDArray[np.float64], NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class BoostingSettings:
    """XGBoost's parameters under their own names, and how many rounds.

    Chosen on the Fraud Detection Handbook's data (four earlier weeks) and on the synthetic world, by average precision:
    slow, regularised learning with few columns a tree. With `patience` (rounds without a better average precision on
    the validation part) training stops early; without, it takes all rounds: that average precision is so noisy, few
    frauds as there are, that it often stopped before half of the gain was made.

    `max_bin` is high because amounts and sums are heavy-tailed: with the default 256 bins the average precision on the
    Handbook's data was lower by .024 (mean of the four weeks). `base_score` 0.5 starts from margin 0, so that no
    estimated prior is baked in.
    """

    rounds_max: int = 200
    patience: int | None = None
    max_depth: int = 5
    learning_rate: float = 0.05
    min_child_weight: float = 5.0
    subsample: float = 0.8
    colsample_bytree: float = 0.5
    reg_lambda: float = 10.0
    gamma: float = 0.0
    max_bin: int = 2048
    base_score: float = 0.5

    def parameters(self, seed: int, nthread: int) -> dict[str, Any]:
        """As XGBoost takes them."""
        own = {key: value for key, value in asdict(self).items() if key not in ("rounds_max", "patience")}
        return {
            **own, "objective": "binary:logistic", "tree_method": "hist", "eval_metric": "aucpr", "seed": seed,
            "nthread": nthread, "verbosity": 0,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled rows: `values` float32 [n, columns], `labels` bool [n], `weights` float32 [n] or None."""

    values: NDArray[np.float32]
    labels: NDArray[np.bool_]
    weights: NDArray[np.float32] | None = None


class _Rounds(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Tells how far training is, after every round."""

    def __init__(self, rounds: int, tell: Callable[[float], None]) -> None:
        super().__init__()
        self._rounds, self._tell = rounds, tell

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        del model, evals_log
        self._tell((epoch + 1) / self._rounds)
        return False


def to_matrix(rows: Rows, settings: BoostingSettings, nthread: int, ref: Any = None) -> Any:
    """Quantised rows; `ref` is the training matrix whose cuts a validation matrix shares."""
    return xgboost.QuantileDMatrix(
        rows.values, label=rows.labels.astype(np.float32), weight=rows.weights, max_bin=settings.max_bin,
        missing=np.nan, nthread=nthread, ref=ref,
    )  # fmt: skip


def fit_trees(
    train: Rows,
    validation: Rows | None,
    settings: BoostingSettings,
    *,
    seed: int,
    nthread: int,
    rounds: int | None = None,
    objective: Objective | None = None,
    tell: Callable[[float], None] = lambda _: None,
) -> xgboost.Booster:
    """Train on `train`; with `validation` and patience stop early on its average precision and keep the best rounds.

    `rounds` overrides `settings.rounds_max`; `objective` replaces the log loss (it gets raw margins).
    """
    count = rounds if rounds is not None else settings.rounds_max
    matrix = to_matrix(train, settings, nthread)
    callbacks: list[Any] = [_Rounds(count, tell)]
    watched = []
    if validation is not None and settings.patience is not None:
        watched = [(to_matrix(validation, settings, nthread, ref=matrix), "validation")]
        callbacks.append(xgboost.callback.EarlyStopping(rounds=settings.patience, maximize=True, save_best=True))
    return xgboost.train(
        settings.parameters(seed, nthread), matrix, count, evals=watched, obj=objective, callbacks=callbacks,
        verbose_eval=False,
    )  # fmt: skip


def margins(booster: xgboost.Booster, values: NDArray[np.float32], nthread: int = 1) -> NDArray[np.float32]:
    """Raw log-odds of rows, float32 [n]."""
    matrix = xgboost.DMatrix(values, missing=np.nan, nthread=nthread)
    found: NDArray[np.float32] = booster.predict(matrix, output_margin=True)
    return found


def load_trees(content: bytes, nthread: int = 1) -> xgboost.Booster:
    """A booster from the bundle's bytes (UBJSON)."""
    booster = xgboost.Booster({"nthread": nthread})
    booster.load_model(bytearray(content))
    return booster


def save_trees(booster: xgboost.Booster) -> bytes:
    """A booster as UBJSON bytes."""
    return bytes(booster.save_raw("ubj"))
