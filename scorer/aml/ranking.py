"""One ranking of rules and model: how a customer's typology scores and the model's score become one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.kernels.compiled import compiled

RULE_WEIGHT = 0.02
"""What the highest typology score adds, as a chance of its own: enough to put a customer whom rules alone name before
one whom nobody names, and too little to put it before one of whom the model is sure."""
SILENT = np.zeros(0)
"""The scores of a model that gave none."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows ranked: `score` and `rule_score` float64 [n] in 0–1, `typology` int64 [n] the typology of the latter."""

    score: NDArray[np.float64]
    rule_score: NDArray[np.float64]
    typology: NDArray[np.int64]


def rank(typologies: NDArray[np.float64], model: NDArray[np.float64] | None) -> Ranked:
    """Rank rows by their typology scores (float64 [n, P]) and the model's scores (float64 [n]); None: it gave none, and
    the rules rank alone.

    Together as chances that do not depend on each other: 1 - (1 - model)(1 - weight · rules).
    """
    count = len(typologies)
    ranked = Ranked(np.empty(count), np.empty(count), np.empty(count, np.int64))
    _rank(typologies, SILENT if model is None else model, ranked.score, ranked.rule_score, ranked.typology)
    return ranked


@compiled
def _rank(typologies: Any, model: Any, score: Any, rule_score: Any, typology: Any) -> None:
    """One pass: of a few rows, a dozen calls of NumPy take longer than the whole of it."""
    for row in range(typologies.shape[0]):
        highest = 0
        for column in range(1, typologies.shape[1]):
            if typologies[row, column] > typologies[row, highest]:
                highest = column
        typology[row] = highest
        rule_score[row] = score[row] = typologies[row, highest]
        if model.shape[0]:
            score[row] = 1.0 - (1.0 - model[row]) * (1.0 - RULE_WEIGHT * rule_score[row])
