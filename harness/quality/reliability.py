"""Do scores mean what they say? Of the events scored about .8, about eight in ten should be fraud."""

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.quality.intervals import wilson
from harness.quality.scored import Bools, Scores

TENTHS = np.arange(1, 10) / 10
TOP_SHARES = np.array([0.95, 0.98, 0.99, 0.995, 0.998])
"""Frauds are rare, so nearly all of what matters lies in the highest tenth: that one is cut finer."""
BIN_EVENTS_MIN = 30


def reliability(is_fraud: Bools, score: Scores) -> dict[str, Any] | None:
    """Reliability of scores (0–1) of the events given, all of shape [n]; None without any event.

    `bins`: equal numbers of events (tenths, the highest cut finer), mean score against the share of fraud with its
    Wilson interval. `brier`: mean squared difference of score and truth (Brier, Monthly Weather Review 78, 1950);
    `brier_base`: the same for a score that always says the base rate. `ece`: Σ (events of the bin / events) ·
    |share of fraud − mean score|, the expected calibration error over bins of equal mass (Naeini, Cooper & Hauskrecht,
    AAAI 2015; Nguyen & O'Connor, EMNLP 2015, for bins of equal mass).
    """
    if len(score) == 0:
        return None
    truth = is_fraud.astype(np.float64)
    base = float(truth.mean())
    bins = [_bin(truth[rows], score[rows]) for rows in _rows_by_bin(score)]
    error = sum(row["events"] * abs(row["observed"] - row["mean_score"]) for row in bins) / len(score)
    return {
        "events": len(score),
        "frauds": int(is_fraud.sum()),
        "brier": float(np.mean((score - truth) ** 2)),
        "brier_base": base * (1 - base),
        "ece": float(error),
        "bins": bins,
    }


def _rows_by_bin(score: Scores) -> list[npt.NDArray[np.intp]]:
    """Events of each bin, from the lowest scores up. Equal scores share a bin: the cut moves to the nearer end."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    wanted = np.concatenate([TENTHS, TOP_SHARES[(1 - TOP_SHARES) * len(score) >= BIN_EVENTS_MIN]])
    at = (wanted * len(score)).astype(np.int64)
    before, after = (np.searchsorted(ordered, ordered[at], side) for side in ("left", "right"))
    places = np.where(at - before <= after - at, before, after)
    return [rows for rows in np.split(order, np.unique(places)) if len(rows)]


def _bin(truth: Scores, score: Scores) -> dict[str, Any]:
    frauds, events = int(truth.sum()), len(truth)
    interval = wilson(frauds, events)
    return {
        "low": float(score.min()),
        "high": float(score.max()),
        "mean_score": float(score.mean()),
        "observed": frauds / events,
        "observed_low": interval["low"],
        "observed_high": interval["high"],
        "events": events,
        "frauds": frauds,
    }
