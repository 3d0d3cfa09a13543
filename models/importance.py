"""Which features drove a run's decisions: exact contributions of a weighted sample of them."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.bundle import ERROR_FEATURE, Bundle, domain_of
from models.domain import DOMAINS
from models.explain import Explainer
from models.onnx_model import OnnxModel
from streams.errors import BadInputError

COLUMNS = ("event_id", "outcome", "path", "model_version", "features")
ROWS_PER_CALL = 1_024
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Sampled decisions of the model: ids, `weight` float64 [k] (so many decisions each stands for) and the feature
    rows, float32 [k, F]."""

    event_ids: pa.Array
    weight: NDArray[np.float64]
    values: Floats


def draw(decisions: Path, bundle: Bundle, sample: int, seed: int) -> Drawn:
    """Of the decisions that the model flagged at random at most `sample`, and as many of its others; each stands for as
    many of its kind as were left out.

    Raises `BadInputError` when the file cannot be used, holds decisions of another model, or of none with features.
    """
    table = _read(decisions)
    by_model = pc.and_(pc.equal(table["path"].cast(pa.string()), "model"), pc.is_valid(table["features"]))
    table = table.filter(pc.fill_null(by_model, False))
    _check(decisions, table, bundle)
    flagged = pc.not_equal(table["outcome"].cast(pa.string()), "approve").to_numpy()
    rng = np.random.default_rng(seed)
    kinds = [_some(np.flatnonzero(kind), sample, rng) for kind in (~flagged, flagged)]
    rows, weights = (np.concatenate(parts) for parts in zip(*kinds, strict=True))
    order = np.argsort(rows)
    taken = table.take(rows[order])
    values = np.frombuffer(b"".join(taken["features"].to_pylist()), "<f4").reshape(len(taken), -1)
    ids = pa.concat_arrays(taken["event_id"].cast(pa.string()).chunks) if len(taken) else pa.array([], pa.string())
    return Drawn(ids, weights[order], values.astype(np.float32, copy=False))


def _some(
    rows: NDArray[np.intp], sample: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """At most `sample` of these rows, and how many of them each stands for."""
    drawn = rng.choice(rows, min(sample, len(rows)), replace=False)
    return drawn, np.full(len(drawn), len(rows) / max(1, len(drawn)))


def importance(bundle: Bundle, drawn: Drawn) -> pa.Table:
    """One row a sampled decision: `event_id`, `weight`, and float32 contributions to the margin (log-odds): a column
    a feature, `reconstruction_error`, and `base`, to which they are added."""
    model, explainer = OnnxModel(bundle), Explainer(bundle)
    found = [
        explainer.contributions(part, model.score(part).reconstruction_error)
        for at in range(0, len(drawn.values), ROWS_PER_CALL)
        for part in [drawn.values[at : at + ROWS_PER_CALL]]
    ]
    names = (*bundle.feature_names, ERROR_FEATURE, "base")
    shares = np.concatenate(found) if found else np.empty((0, len(names)), np.float32)
    columns = {name: pa.array(shares[:, column]) for column, name in enumerate(names)}
    return pa.table({"event_id": drawn.event_ids, "weight": drawn.weight, **columns})


def write_importance(bundle: Path, decisions: Path, out: Path, sample: int, seed: int) -> pa.Table:
    """Draw, explain, and write `out` (Parquet; whole or not at all). Raises `BadInputError` naming file and reason."""
    loaded = Bundle.load(bundle, DOMAINS[domain_of(bundle)].feature_names)
    table = importance(loaded, draw(decisions, loaded, sample, seed))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
            staging = Path(folder) / out.name
            pq.write_table(table, staging, compression="zstd")
            staging.replace(out)
    except OSError as error:
        raise BadInputError(f"--out {out} cannot be written: {error.strerror or error}") from error
    return table


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"--decisions {path} cannot be read as Parquet: {error}") from error
    lacking = [name for name in COLUMNS if name not in table.column_names]
    if lacking:
        raise BadInputError(f"--decisions {path} lacks column {', '.join(lacking)}")
    return table.select(COLUMNS)


def _check(path: Path, table: pa.Table, bundle: Bundle) -> None:
    named = pc.unique(table["model_version"].cast(pa.string())).to_pylist()
    others = [str(version) for version in named if version != bundle.model_version]
    if others:
        raise BadInputError(
            f"--decisions {path} holds decisions of model {', '.join(others)}; --bundle {bundle.directory} is "
            f"{bundle.model_version}"
        )
    width = 4 * len(bundle.feature_names)
    lengths = pc.unique(pc.binary_length(table["features"])).to_pylist()
    if any(length != width for length in lengths):
        raise BadInputError(f"--decisions {path}: features of {lengths} bytes; the bundle's rows have {width}")
