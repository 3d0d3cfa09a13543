"""One ranking of rules and model: how a customer's typology scores and the model's score become one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RULE_WEIGHT = 0.02
"""What the highest typology score adds, as a chance of its own: enough to put a customer whom rules alone name before
one whom nobody names, and too little to put it before one of whom the model is sure."""


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
    typology = typologies.argmax(axis=1)
    rule_score = typologies[np.arange(len(typologies)), typology]
    if model is None:
        return Ranked(rule_score, rule_score, typology)
    return Ranked(1.0 - (1.0 - model) * (1.0 - RULE_WEIGHT * rule_score), rule_score, typology)
