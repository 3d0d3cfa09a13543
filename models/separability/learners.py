"""Models trained on the training part and measured on the test part that comes after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from models.boosting import Rows, fit_trees, margins
from models.separability.material import Flags, Split, thinned
from models.separability.settings import AuditSettings

Values = NDArray[np.float32]
DEPTH = 2
COMPARED_BINS, COMPARED_ROUNDS, COMPARED_RATE = 256, 80, 0.1
EARLIER_SHARE = 0.6
STOPPING_SHARE = 0.2
"""Share of the training part, its end, on which the number of rounds is chosen; all rounds are then fitted anew."""


@dataclass(frozen=True, slots=True)
class Skill:
    """How well scores rank the test part: average precision and area under the ROC curve."""

    average_precision: float
    roc_auc: float


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """One out-of-time contest: features of all rows, who is fraud, the split, and the rounds that every model gets."""

    values: Values
    fraud: Flags
    split: Split
    settings: AuditSettings
    rounds: int

    def fit(self, columns: Sequence[int] | None = None) -> xgboost.Booster:
        """Train our boosting on `columns` (None: all) of the training part."""
        split, chosen = self.split, slice(None) if columns is None else list(columns)
        rows = Rows(self.values[split.train][:, chosen], self.fraud[split.train], split.train_weight.astype(np.float32))
        return fit_trees(
            rows, None, self.settings.boosting, seed=self.settings.seed, nthread=self.settings.nthread,
            rounds=self.rounds,
        )  # fmt: skip

    def scores(self, columns: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Raw margins of the test part by the model trained on `columns` (None: all)."""
        chosen = slice(None) if columns is None else list(columns)
        return margins(self.fit(columns), self.values[self.split.test][:, chosen], self.settings.nthread)

    def skill(self, scores: NDArray[np.floating]) -> Skill:
        """How well these scores of the test part rank it."""
        return skill(self.fraud[self.split.test], scores, self.split.test_weight)

    def tree_scores(self) -> NDArray[np.float64]:
        """The better (by average precision) of two trees of depth 2, one split by Gini impurity, one by entropy: its
        scores of the test part."""
        split = self.split
        found = []
        for criterion in ("gini", "entropy"):
            tree = DecisionTreeClassifier(max_depth=DEPTH, criterion=criterion, random_state=self.settings.seed)
            tree.fit(self.values[split.train], self.fraud[split.train], sample_weight=split.train_weight)
            found.append(np.asarray(tree.predict_proba(self.values[split.test])[:, 1], np.float64))
        return max(found, key=lambda scores: self.skill(scores).average_precision)


def skill(fraud: Flags, scores: NDArray[np.floating], weight: NDArray[np.float64]) -> Skill:
    """Average precision and ROC-AUC where each row stands for `weight` rows."""
    return Skill(
        float(average_precision_score(fraud, scores, sample_weight=weight)),
        float(roc_auc_score(fraud, scores, sample_weight=weight)),
    )


def choose_rounds(values: Values, fraud: Flags, split: Split, settings: AuditSettings) -> int:
    """How many rounds: as set, or by early stopping on the end of the training part (the test is not looked at)."""
    if settings.boosting.patience is None:
        return settings.boosting.rounds_max
    cut = int(len(split.train) * (1 - STOPPING_SHARE))
    before, after = split.train[:cut], split.train[cut:]
    weight = split.train_weight.astype(np.float32)
    if not fraud[before].any() or not fraud[after].any():
        return settings.boosting.rounds_max
    booster = fit_trees(
        Rows(values[before], fraud[before], weight[:cut]),
        Rows(values[after], fraud[after], weight[cut:]),
        settings.boosting,
        seed=settings.seed,
        nthread=settings.nthread,
    )
    return int(booster.num_boosted_rounds())


def enter(values: Values, fraud: Flags, split: Split, settings: AuditSettings) -> Contest:
    """A contest with its rounds chosen."""
    finite = values.copy()
    finite[np.isinf(finite)] = np.nan  # decision trees refuse them
    return Contest(finite, fraud, split, settings, choose_rounds(finite, fraud, split, settings))


def smaller(contest: Contest) -> Contest:
    """The same contest trained on fewer genuine rows, with coarser bins and fewer, larger steps: for the many models
    that are compared with each other only (with few rows most of the time of a round goes into its bins)."""
    split, settings = contest.split, contest.settings
    rng = np.random.default_rng([settings.seed, 4])
    fraud = contest.fraud[split.train]
    kept, stands_for = thinned(np.arange(len(fraud)), fraud, settings.genuine_compared, rng)
    fewer = replace(split, train=split.train[kept], train_weight=split.train_weight[kept] * stands_for)
    boosting = replace(
        settings.boosting,
        max_bin=min(settings.boosting.max_bin, COMPARED_BINS),
        learning_rate=max(settings.boosting.learning_rate, COMPARED_RATE),
    )
    rounds = min(contest.rounds, COMPARED_ROUNDS)
    return replace(contest, split=fewer, settings=replace(settings, boosting=boosting), rounds=rounds)


def earlier(contest: Contest) -> Contest:
    """The same contest a step before: trained on the first 60% of the training part, tested on the rest of it."""
    split = contest.split
    cut = int(len(split.train) * EARLIER_SHARE)
    before = Split(split.train[:cut], split.train[cut:], split.train_weight[:cut], split.train_weight[cut:])
    return replace(contest, split=before)


def among(contest: Contest, values: Values, fraud: Flags) -> Contest:
    """The same contest with other features and another truth: same rows, same rounds."""
    return replace(contest, values=values, fraud=fraud)
