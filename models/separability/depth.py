"""How deep one has to look: a tree of two questions, and each family of features alone, against the whole model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.catalog import FEATURES, Feature
from models.separability.checks import Check, Findings, rounded
from models.separability.learners import Contest, Skill, smaller
from streams.causes import CAUSES

TREE = "depth-2 tree, share of the full model's average precision"
TREE_SHARE_MAX = 0.25
FAMILY_SHARE_MAX = 0.50
LIFT_MIN = 10.0
"""The whole model has to find frauds at all: its average precision is that many times the share of frauds."""
Row = dict[str, Any]


def measure(contest: Contest, full: NDArray[np.floating], tell: Callable[[float], None] = lambda _: None) -> Findings:
    """Compare with the full model, whose scores of the test part are `full`."""
    whole, tree = contest.skill(full), contest.skill(contest.tree_scores())
    families = families_of(smaller(contest), FEATURES, tell)
    checks = (
        learnable(contest, whole),
        tree_check(TREE, tree, whole),
        family_check(families, FAMILY_SHARE_MAX),
    )
    return Findings(checks, {"families": families, "models": [row_of("full", whole), row_of("depth-2 tree", tree)]})


def learnable(contest: Contest, whole: Skill, what: str = "frauds") -> Check:
    """Whether the full model finds anything of what is looked for."""
    weight = contest.split.test_weight
    share = float(weight[contest.fraud[contest.split.test]].sum() / weight.sum())
    return Check("depth", f"full model, average precision over share of {what}", whole.average_precision / share,
                 low=LIFT_MIN, detail=f"average precision {whole.average_precision:.3f}, AUC {whole.roc_auc:.3f}, "
                 f"share of {what} {share:.4f}, {contest.rounds} rounds")  # fmt: skip


def tree_check(name: str, tree: Skill, whole: Skill) -> Check:
    """How much of the full model two questions are worth."""
    return Check("depth", name, tree.average_precision / whole.average_precision, high=TREE_SHARE_MAX,
                 detail=f"average precision {tree.average_precision:.3f}, AUC {tree.roc_auc:.3f}")  # fmt: skip


def family_check(families: list[Row], high: float | None) -> Check:
    """The family of features that is worth most by itself; without `high` it is information."""
    best = max(families, key=lambda row: float(row["ap_alone"] or 0.0))
    return Check("depth", "best family of features alone, share of the full model's average precision",
                 float(best["ap_alone"] or 0.0) / float(best["ap_full"] or 1.0), high=high,
                 detail=f"{best['family']}: average precision {best['ap_alone']:.3f}, AUC {best['auc_alone']:.3f}; "
                 f"full model {best['ap_full']:.3f} on the same rows")  # fmt: skip


def row_of(name: str, found: Skill) -> Row:
    """A model as a row of a table."""
    return {"model": name, "average_precision": rounded(found.average_precision), "roc_auc": rounded(found.roc_auc)}


def families_of(contest: Contest, features: Sequence[Feature], tell: Callable[[float], None]) -> list[Row]:
    """Each family of a catalogue alone, and all without it."""
    whole = contest.skill(contest.scores())
    present = [cause for cause in CAUSES if any(feature.family == cause for feature in features)]
    rows: list[Row] = []
    for number, cause in enumerate(present):
        own = [index for index, feature in enumerate(features) if feature.family == cause]
        rest = [index for index, feature in enumerate(features) if feature.family != cause]
        alone, without = contest.skill(contest.scores(own)), contest.skill(contest.scores(rest))
        tell((number + 1) / len(present))
        rows.append(
            {
                "family": cause, "features": len(own),
                "ap_alone": rounded(alone.average_precision), "auc_alone": rounded(alone.roc_auc),
                "ap_without": rounded(without.average_precision), "auc_without": rounded(without.roc_auc),
                "ap_full": rounded(whole.average_precision),
            }
        )  # fmt: skip
    return rows
