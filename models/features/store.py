"""The offline feature store: feature rows of a history as Parquet, built by the kernel that serves them online."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import streams.kernels
from models.features.catalog import FEATURE_NAMES, FEATURES
from models.features.offline import History
from streams.errors import BadInputError
from streams.kernels.sources import folder_stamp

SCHEMA_VERSION = 1
FILE = "features.parquet"
METADATA_KEY = b"riskbench.features"
ROWS_PER_GROUP = 131_072
LABEL_COLUMNS = ("is_fraud", "scenario")
WITH_STATISTICS = ("event_id", "event_time_ns", "card_id", "status")
"""Not the features: a column's least and greatest leave NaN out, and DuckDB would conclude that there is none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a store was built from: names of files, the label delay, and the state it went on from (None: nothing)."""

    events: str
    labels: str | None
    state: str | None
    label_delay_days: int


def catalogue_hash() -> str:
    """Hash of the catalogue: names, order, kinds, units, bounds."""
    rows = [[f.name, f.kind, f.unit, f.low, f.high, f.family] for f in FEATURES]
    return hashlib.blake2b(json.dumps(rows).encode(), digest_size=16).hexdigest()


def code_hash() -> str:
    """Hash of the source that computes features."""
    here = Path(__file__).parent
    parts = "".join(map(folder_stamp, (here, here / "kernel", Path(streams.kernels.__file__).parent)))
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def write_store(out: Path, events: pa.Table, labels: pa.Table | None, found: History, origin: Origin) -> dict[str, Any]:
    """Write `features.parquet` into `out`: event_id, event_time_ns, card_id, status, the labels where there are any,
    and one float32 column a feature (NaN: not known). Returns its metadata; raises `BadInputError` when `out` cannot be
    written.
    """
    columns: dict[str, Any] = {
        "event_id": events["event_id"].cast(pa.string()),
        "event_time_ns": events["event_time_ns"],
        "card_id": events["card_id"].cast(pa.string()),
        "status": pa.array(found.status),
    }
    if labels is not None:
        columns |= {name: labels[name] for name in LABEL_COLUMNS if name in labels.column_names}
    columns |= {name: pa.array(np.ascontiguousarray(found.values[:, at])) for at, name in enumerate(FEATURE_NAMES)}
    metadata = _metadata(events, origin, found)
    table = pa.table(columns).replace_schema_metadata({METADATA_KEY: json.dumps(metadata)})
    try:
        out.mkdir(parents=True, exist_ok=True)
        draft = out / f".{FILE}.part"
        pq.write_table(table, draft, row_group_size=ROWS_PER_GROUP, write_statistics=list(WITH_STATISTICS))
        draft.replace(out / FILE)
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    return metadata


def _metadata(events: pa.Table, origin: Origin, found: History) -> dict[str, Any]:
    times = events["event_time_ns"].to_numpy()
    vocabulary = found.state.vocabulary
    return {
        "schema_version": SCHEMA_VERSION,
        "catalogue": catalogue_hash(),
        "code": code_hash(),
        "features": len(FEATURE_NAMES),
        "rows": len(events),
        "first_event_ns": int(times.min()) if len(times) else None,
        "last_event_ns": int(times.max()) if len(times) else None,
        "events": origin.events,
        "labels": origin.labels,
        "state": origin.state,
        "label_delay_days": origin.label_delay_days,
        "vocabulary": {"category": list(vocabulary.category), "channel": list(vocabulary.channel)},
        "rows_without_their_day_table": found.state.stale_lookups,
    }


def open_store(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The store's Parquet file and its metadata. Raises `BadInputError` when it is missing, damaged or no store, or
    holds another catalogue than this program's."""
    path = folder / FILE
    try:
        schema = pq.read_schema(path)
    except FileNotFoundError:
        raise BadInputError(f"{folder} is no feature store: it holds no {FILE}") from None
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"{path} cannot be read as Parquet: {error}") from error
    encoded = (schema.metadata or {}).get(METADATA_KEY)
    if encoded is None:
        raise BadInputError(f"{path} was not written by a feature store: it has no metadata {METADATA_KEY.decode()}")
    metadata: dict[str, Any] = json.loads(encoded)
    if metadata["schema_version"] != SCHEMA_VERSION or metadata["catalogue"] != catalogue_hash():
        raise BadInputError(f"{path} was built with another catalogue of features; build it again")
    return path, metadata
