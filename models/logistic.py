"""From log-odds to probabilities."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def probability(margin: ArrayLike) -> NDArray[np.float64]:
    """The logistic function of a margin, in double so that no two margins share a probability. Without overflow."""
    log_odds = np.asarray(margin, dtype=np.float64)
    decay = np.exp(-np.abs(log_odds))
    return np.asarray(np.where(log_odds >= 0, 1.0, decay) / (1.0 + decay), dtype=np.float64)
