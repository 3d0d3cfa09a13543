"""Bundles held against each other on the same feature rows: what each says, and how long each takes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from models.bundle import Bundle
from models.onnx_model import OnnxModel
from streams.errors import BadInputError

ROWS_PER_CALL = 4_096
TIMED_ROWS, TIMED_CALLS, UNTIMED_CALLS = 32, 400, 40


@dataclass(frozen=True, slots=True)
class Contest:
    """`scores` float64 [bundles, n]; `call_us` float64 [bundles]: the median time of a call with `rows` rows, the
    bundles asked in turn, so that whatever else the machine does meets all of them."""

    scores: NDArray[np.float64]
    call_us: NDArray[np.float64]
    rows: int


def contest(bundles: Sequence[Bundle], values: NDArray[np.float32], clock_ns: Callable[[], int]) -> Contest:
    """Score and time rows (float32 [n, F], n ≥ 1). Raises BadInputError when a bundle has other features."""
    for bundle in bundles:
        if len(bundle.feature_names) != values.shape[1]:
            raise BadInputError(
                f"bundle {bundle.directory} takes {len(bundle.feature_names)} features, the rows have {values.shape[1]}"
            )
    models = [OnnxModel(bundle) for bundle in bundles]
    scores = np.stack([_scores(*pair, values) for pair in zip(bundles, models, strict=True)])
    few = np.ascontiguousarray(values[: min(TIMED_ROWS, len(values))])
    taken = np.zeros((len(models), TIMED_CALLS + UNTIMED_CALLS))
    for turn in range(taken.shape[1]):
        for place, model in enumerate(models):
            begin_ns = clock_ns()
            model.score(few)
            taken[place, turn] = clock_ns() - begin_ns
    return Contest(scores, np.median(taken[:, UNTIMED_CALLS:], axis=1) / 1e3, len(few))


def _scores(bundle: Bundle, model: OnnxModel, values: NDArray[np.float32]) -> NDArray[np.float64]:
    parts = [
        bundle.calibrated(model.score(values[at : at + ROWS_PER_CALL]).margin)
        for at in range(0, len(values), ROWS_PER_CALL)
    ]
    return np.concatenate(parts)


def contest_command(
    rows: Annotated[Path, typer.Option(help="feature rows, float32 [n, F] (.npy)")],
    bundle: Annotated[list[Path], typer.Option(help="bundle; give it once for each")],
    out: Annotated[Path, typer.Option(help="file to write (.npz): scores, call_us, rows")],
) -> None:
    """Score feature rows by several card-fraud bundles, and time them in turn."""
    try:
        values = np.load(rows, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BadInputError(f"--rows {rows}: cannot be read: {error}") from error
    if values.ndim != 2 or values.dtype != np.float32 or len(values) == 0:
        raise BadInputError(f"--rows {rows}: must be float32 [n, F] with n ≥ 1, is {values.dtype} {list(values.shape)}")
    found = contest([Bundle.load(directory) for directory in bundle], values, time.perf_counter_ns)
    try:
        with out.open("wb") as file:
            np.savez(file, scores=found.scores, call_us=found.call_us, rows=np.int64(found.rows))
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
