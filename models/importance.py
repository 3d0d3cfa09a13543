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
from streams.stored_rows import StoredRows

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
    try:
        stored = StoredRows(decisions)
        _lacks_nothing(decisions, stored)
        found = _Model.of(stored)
        _check(decisions, found, bundle)
        rng = np.random.default_rng(seed)
        kinds = [_some(np.flatnonzero(kind), sample, rng) for kind in (~found.flagged, found.flagged)]
        rows, weights = (np.concatenate(parts) for parts in zip(*kinds, strict=True))
        order = np.argsort(rows)
        parts = list(stored.in_turn(("event_id", "features"), found.places[rows[order]]))
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"--decisions {decisions} cannot be read as Parquet: {error}") from error
    values = np.frombuffer(b"".join(row for part in parts for row in part["features"].to_pylist()), "<f4")
    ids = [chunk for part in parts for chunk in part["event_id"].cast(pa.string()).chunks]
    return Drawn(
        pa.concat_arrays(ids) if ids else pa.array([], pa.string()),
        weights[order],
        values.reshape(len(order), len(bundle.feature_names)).astype(np.float32, copy=False),
    )


@dataclass(frozen=True, slots=True)
class _Model:
    """The decisions of the model that carry features: `places` int64 [n] in the file, `flagged` bool [n]; the versions
    of the model that are named, and how many bytes of features there are."""

    places: NDArray[np.int64]
    flagged: NDArray[np.bool_]
    versions: list[str]
    lengths: list[int]

    @classmethod
    def of(cls, stored: StoredRows) -> "_Model":
        """Look through a file of decisions, a block at a time: all features of a long run fill the memory."""
        places, flagged, start = [np.zeros(0, np.int64)], [np.zeros(0, np.bool_)], 0
        versions: dict[str, None] = {}
        lengths: dict[int, None] = {}
        for block in stored.blocks(COLUMNS[1:]):
            by_model = pc.and_(pc.equal(block["path"].cast(pa.string()), "model"), pc.is_valid(block["features"]))
            by_model = pc.fill_null(by_model, False)
            chosen = block.filter(by_model)
            places.append(start + np.flatnonzero(by_model.to_numpy()))
            flagged.append(pc.not_equal(chosen["outcome"].cast(pa.string()), "approve").to_numpy())
            versions |= dict.fromkeys(pc.unique(chosen["model_version"].cast(pa.string())).to_pylist())
            lengths |= dict.fromkeys(pc.unique(pc.binary_length(chosen["features"])).to_pylist())
            start += len(block)
        return cls(np.concatenate(places), np.concatenate(flagged), list(versions), list(lengths))


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


def _lacks_nothing(path: Path, stored: StoredRows) -> None:
    lacking = [name for name in COLUMNS if name not in stored.names]
    if lacking:
        raise BadInputError(f"--decisions {path} lacks column {', '.join(lacking)}")


def _check(path: Path, found: _Model, bundle: Bundle) -> None:
    others = [str(version) for version in found.versions if version != bundle.model_version]
    if others:
        raise BadInputError(
            f"--decisions {path} holds decisions of model {', '.join(others)}; --bundle {bundle.directory} is "
            f"{bundle.model_version}"
        )
    width = 4 * len(bundle.feature_names)
    if any(length != width for length in found.lengths):
        raise BadInputError(f"--decisions {path}: features of {found.lengths} bytes; the bundle's rows have {width}")
