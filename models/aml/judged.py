"""Two models on transfers that neither has learnt from: whose ranking of customers is better, and by how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.aml.history import SideRows, TransferFiles, labelled_rows, read_transfers
from models.aml.ranked import RankedCustomers, ranked_customers
from models.aml.settings import AmlTrainSettings
from models.bootstrap import LEVEL, RESAMPLES, Scored, weighted_average_precision
from models.bundle import Bundle
from models.graph.catalog import AML_FEATURE_NAMES
from models.onnx_model import OnnxModel
from models.progress import Tell, silent
from models.training_data import TimeSplit
from streams.errors import BadInputError

ROWS_PER_CALL = 8_192
RESAMPLES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Judged:
    """`before` and `after` are what two models make of the same rows. `gain` is how much higher average precision of
    customers is with the second, `low` and `high` its interval of `models.bootstrap.LEVEL`: customers are drawn with
    replacement, both models judged by the same draw; None where no draw had a suspicious one."""

    before: RankedCustomers
    after: RankedCustomers
    low: float | None
    high: float | None

    @property
    def gain(self) -> float:
        """The difference of the average precisions."""
        return self.after.average_precision - self.before.average_precision

    def to_dict(self) -> dict[str, Any]:
        """As it is written down."""
        gain: Mapping[str, float | None] = {"value": self.gain, "low": self.low, "high": self.high}
        return {"before": self.before.to_metrics(), "after": self.after.to_metrics(), "gain": gain}


def judge_models(
    files: TransferFiles, from_ns: int, before: Path, after: Path, seed: int, tell: Tell = silent
) -> Judged:
    """Judge two bundles by what happens from `from_ns` on. A pattern that shows before does not count, nor do the other
    rows of a pattern's member while it lasts: as in a training's validation.

    Raises `BadInputError` for files that cannot be used and for a period in which nobody launders, `BundleError` for a
    bundle that is none.
    """
    tell("read transfers", 0.0)
    tables = read_transfers(files)
    times = tables.transfers["event_time_ns"].to_numpy()
    end_ns = int(times[-1]) + 1
    tell("compute features", 0.1)
    split = TimeSplit(from_ns, from_ns, end_ns)  # nothing teaches: what came before only enters the graph
    rows = labelled_rows(tables, split, AmlTrainSettings())
    judging = rows.history.judging(split.rows(rows.history.time_ns)[1])
    if not rows.history.labels[judging].any():
        raise BadInputError(f"{files.events}: nobody begins to launder in what is to judge the models; give more of it")
    tell("rank customers", 0.8)
    scores = [_scores(bundle, rows.history.values[judging]) for bundle in (before, after)]
    ranked = [_ranked(rows, judging, found) for found in scores]
    low, high = _interval(rows, judging, scores, seed)
    tell("rank customers", 1.0)
    return Judged(ranked[0], ranked[1], low, high)


def _scores(directory: Path, values: NDArray[np.float32]) -> NDArray[np.float64]:
    bundle = Bundle.load(directory, AML_FEATURE_NAMES)
    model = OnnxModel(bundle)
    margins = [model.score(values[at : at + ROWS_PER_CALL]).margin for at in range(0, len(values), ROWS_PER_CALL)]
    return bundle.calibration.scores(np.concatenate(margins))


def _ranked(rows: SideRows, judging: NDArray[np.int64], scores: NDArray[np.float64]) -> RankedCustomers:
    history = rows.history
    return ranked_customers(history.cards[judging], history.labels[judging], rows.pattern[judging], scores)


def _interval(
    rows: SideRows, judging: NDArray[np.int64], scores: list[NDArray[np.float64]], seed: int
) -> tuple[float | None, float | None]:
    """Of the difference of both average precisions."""
    names, place = np.unique(rows.history.cards[judging], return_inverse=True)
    each_once = np.arange(len(names))
    suspicious = np.zeros(len(names), np.bool_)
    np.logical_or.at(suspicious, place, rows.history.labels[judging])
    both = []
    for found in scores:
        best = np.full(len(names), -np.inf)
        np.maximum.at(best, place, found)
        both.append(Scored(names, np.zeros(len(names), np.int64), suspicious, best, 1, 1.0))
    rng, even = np.random.default_rng(seed), np.full(len(names), 1.0 / len(names))
    gains = []
    for _ in range(RESAMPLES // RESAMPLES_AT_ONCE):
        times = rng.multinomial(len(names), even, size=RESAMPLES_AT_ONCE).astype(float)
        first, second = (weighted_average_precision(each, each_once, times) for each in both)
        gains.append(second - first)
    known = np.concatenate(gains)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return None, None
    low, high = np.quantile(known, ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)).tolist()
    return low, high
