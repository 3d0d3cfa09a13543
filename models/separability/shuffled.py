"""Labels shuffled among the events: whatever is learnt from them is a leak in the features or in the split."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.separability.checks import Check, Findings, rounded
from models.separability.learners import Contest, Values, among
from models.separability.material import Flags, Truth
from models.separability.ranking import auc_error

ERRORS_MAX = 3.0
FeaturesOf = Callable[[pa.Table], Values]
"""From labels (as if they were the truth) to the features of all events."""


def shuffle(truth: Truth, order: NDArray[np.int64]) -> tuple[pa.Table, Flags]:
    """Give event i the label of event `order[i]`: what it is, and how long after the event it was reported."""
    labels = truth.labels.take(pa.array(order))
    columns = {name: labels[name] for name in labels.column_names}
    columns["event_id"] = truth.labels["event_id"]
    if "reported_at_ns" in columns:
        reported = columns["reported_at_ns"].cast(pa.int64())
        known = reported.is_valid().to_numpy(zero_copy_only=False)
        delay = reported.fill_null(0).to_numpy() - truth.time_ns[order]
        columns["reported_at_ns"] = pa.array(truth.time_ns + np.where(known, delay, 0), mask=~known)
    return pa.table(columns, schema=truth.labels.schema), truth.fraud[order]


def measure(
    truth: Truth, contest: Contest, features_of: FeaturesOf, tell: Callable[[float], None] = lambda _: None
) -> Findings:
    """Shuffle, compute the features anew (some are made of reported frauds), train, measure against the shuffled truth.

    Frauds are shuffled within the training part and within the test part, so that each keeps its number of them.
    """
    settings, split = contest.settings, contest.split
    rng = np.random.default_rng([settings.seed, 2])
    cut = int(split.test[0])
    table = []
    for number in range(settings.permutations):
        order = np.concatenate([rng.permutation(cut), cut + rng.permutation(len(truth) - cut)])
        labels, fraud = shuffle(truth, order)
        area = area_of(among(contest, features_of(labels), fraud))
        positives = int(fraud[split.test].sum())
        error = auc_error(positives, len(split.test) - positives)
        table.append({"permutation": number, "auc": rounded(area), "standard_error": rounded(error),
                      "errors_from_chance": rounded((area - 0.5) / error)})  # fmt: skip
        tell((number + 1) / settings.permutations)
    return Findings((verdict([row["auc"] for row in table], [row["standard_error"] for row in table]),),
                    {"shuffled_labels": table})  # fmt: skip


def area_of(contest: Contest) -> float:
    fraud = contest.fraud[contest.split.test]
    trained = contest.fraud[contest.split.train]
    if not fraud.any() or not trained.any():
        return 0.5
    return contest.skill(contest.scores()).roc_auc


def verdict(areas: list[float | None], errors: list[float | None]) -> Check:
    """The mean of the permutations against its own standard error: more telling than any one of them."""
    found = np.array([area for area in areas if area is not None])
    error = float(np.mean([one for one in errors if one is not None])) / np.sqrt(max(len(found), 1))
    reach = ERRORS_MAX * error
    return Check(
        "shuffled labels", "mean AUC of models trained on shuffled labels", float(found.mean()),
        low=0.5 - reach, high=0.5 + reach,
        detail=f"{len(found)} permutations, {(found.mean() - 0.5) / error:+.2f} standard errors from 0.5; "
        f"each between {found.min():.3f} and {found.max():.3f}",
    )  # fmt: skip
