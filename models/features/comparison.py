"""Offline against online: whether the store holds, bit for bit, the features that a scorer recorded."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.features.batch import Status
from models.features.catalog import FEATURE_NAMES
from models.features.store import open_store
from streams.errors import BadInputError

UInt32s = npt.NDArray[np.uint32]


def compare(folder: Path, decisions: Path) -> dict[str, Any]:
    """Per feature how many decided events differ, and the first of them in the stream's order.

    `decisions` is a run's decisions.parquet: `event_id` and `features`, little-endian float32 in the catalogue's order
    (null: not recorded). Two values that are both NaN are equal. Raises `BadInputError` for files that do not fit.
    """
    path, metadata = open_store(folder)
    stored = pq.read_table(path, filters=pc.field("status") != int(Status.REPEATED))
    recorded = _recorded(decisions)
    place = pc.index_in(recorded["event_id"], stored["event_id"]).combine_chunks()
    found = place.is_valid().to_numpy(zero_copy_only=False)
    rows = place.drop_null().to_numpy()
    online = _bits(recorded["features"].filter(pa.array(found)), decisions)
    order = np.argsort(rows, kind="stable")
    rows, online = rows[order], online[order]
    ids = stored["event_id"].take(pa.array(rows))
    features: list[dict[str, Any]] = []
    for column, name in enumerate(FEATURE_NAMES):
        offline = stored[name].to_numpy()[rows].view(np.uint32)
        differs = np.flatnonzero((offline != online[:, column]) & ~(_is_nan(offline) & _is_nan(online[:, column])))
        first = _first(differs, ids, offline, online[:, column])
        features.append({"feature": name, "differing": len(differs), "first": first})
    differing = sum(feature["differing"] > 0 for feature in features)
    return {
        "store": metadata,
        "decisions": len(recorded),
        "compared": len(rows),
        "not_in_store": int((~found).sum()),
        "equal": differing == 0 and bool(found.all()) and len(rows) > 0,
        "differing_features": differing,
        "features": features,
    }


def _recorded(decisions: Path) -> pa.Table:
    """Event ids and feature bytes of the decisions that recorded them."""
    try:
        table = pq.read_table(decisions, columns=["event_id", "features"])
    except FileNotFoundError:
        raise BadInputError(f"--decisions {decisions} does not exist") from None
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"--decisions {decisions} cannot be read: {error}") from error
    recorded = table.filter(pc.is_valid(table["features"]))
    if len(recorded) == 0:
        raise BadInputError(f"--decisions {decisions} records no features: there is nothing to compare")
    return recorded


def _bits(features: pa.ChunkedArray, decisions: Path) -> UInt32s:
    width = 4 * len(FEATURE_NAMES)
    lengths = pc.unique(pc.binary_length(features)).to_pylist()
    if lengths not in ([width], []):
        raise BadInputError(
            f"--decisions {decisions}: features of {lengths} bytes; {len(FEATURE_NAMES)} features need {width}:"
            " were they recorded with another catalogue?"
        )
    content = b"".join(features.to_pylist())
    return np.frombuffer(content, "<u4").astype(np.uint32).reshape(-1, len(FEATURE_NAMES))


def _is_nan(bits: UInt32s) -> npt.NDArray[np.bool_]:
    return np.isnan(bits.view(np.float32))


def _first(
    differs: npt.NDArray[np.intp], ids: pa.ChunkedArray, offline: UInt32s, online: UInt32s
) -> dict[str, Any] | None:
    if len(differs) == 0:
        return None
    row = int(differs[0])
    values = (float(bits.view(np.float32)) for bits in (offline[row], online[row]))
    stored, recorded = (None if np.isnan(value) else value for value in values)
    return {"event_id": ids[row].as_py(), "offline": stored, "online": recorded}
