"""How deep one has to look: a tree of two questions, and each family of features alone, against the whole model."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.features.catalog import FEATURES
from models.separability.checks import Check, Findings, rounded
from models.separability.learners import Contest, Skill, smaller
from streams.causes import CAUSES

TREE_SHARE_MAX = 0.25
FAMILY_SHARE_MAX = 0.50
LIFT_MIN = 10.0
"""The whole model has to find frauds at all: its average precision is that many times the share of frauds."""


def measure(contest: Contest, full: NDArray[np.floating], tell: Callable[[float], None] = lambda _: None) -> Findings:
    """Compare with the full model, whose scores of the test part are `full`."""
    whole = contest.skill(full)
    weight = contest.split.test_weight
    share = float(weight[contest.fraud[contest.split.test]].sum() / weight.sum())
    tree = contest.tree_skill()
    families = _families(smaller(contest), tell)
    alone = max(families, key=lambda row: float(row["ap_alone"] or 0.0))
    checks = (
        Check("depth", "full model, average precision over share of frauds", whole.average_precision / share,
              low=LIFT_MIN, detail=f"average precision {whole.average_precision:.3f}, AUC {whole.roc_auc:.3f}, "
              f"share of frauds {share:.4f}, {contest.rounds} rounds"),
        Check("depth", "depth-2 tree, share of the full model's average precision",
              tree.average_precision / whole.average_precision, high=TREE_SHARE_MAX,
              detail=f"average precision {tree.average_precision:.3f}, AUC {tree.roc_auc:.3f}"),
        Check("depth", "best family of features alone, share of the full model's average precision",
              float(alone["ap_alone"] or 0.0) / float(alone["ap_full"] or 1.0), high=FAMILY_SHARE_MAX,
              detail=f"{alone['family']}: average precision {alone['ap_alone']:.3f}, AUC {alone['auc_alone']:.3f}; "
              f"full model {alone['ap_full']:.3f} on the same rows"),
    )  # fmt: skip
    return Findings(checks, {"families": families, "models": [_row("full", whole), _row("depth-2 tree", tree)]})


def _row(name: str, found: Skill) -> dict[str, str | float | None]:
    return {"model": name, "average_precision": rounded(found.average_precision), "roc_auc": rounded(found.roc_auc)}


def _families(contest: Contest, tell: Callable[[float], None]) -> list[dict[str, str | float | None]]:
    whole = contest.skill(contest.scores())
    present = [cause for cause in CAUSES if any(feature.family == cause for feature in FEATURES)]
    rows: list[dict[str, str | float | None]] = []
    for number, cause in enumerate(present):
        own = [index for index, feature in enumerate(FEATURES) if feature.family == cause]
        rest = [index for index, feature in enumerate(FEATURES) if feature.family != cause]
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
