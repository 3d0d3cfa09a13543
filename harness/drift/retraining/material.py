"""What a candidate is trained on: history and stream up to what is labelled, with only the labels that have arrived."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.prepared import Prepared, Windows

NOT_FRAUD = {"is_fraud": False, "scenario": None, "reported_at_ns": None}


@dataclass(frozen=True, slots=True)
class Known:
    """The stream's events and labels by ordinal (order of sending), and the usual delay of a label, ns."""

    events: pa.Table
    labels: pa.Table
    delay_ns: int

    def labels_at(self, now_ns: int) -> pa.Table:
        """The labels as they are known at `now_ns`: a fraud that is not reported by then is taken for genuine."""
        return labels_known(self.labels, now_ns)


def labels_known(labels: pa.Table, now_ns: int) -> pa.Table:
    """Labels without what was reported after `now_ns`."""
    known = pc.fill_null(pc.less_equal(labels["reported_at_ns"], now_ns), False)
    hidden = pc.and_(labels["is_fraud"], pc.invert(known))
    for name, value in NOT_FRAUD.items():
        if name in labels.column_names:
            field = labels.schema.field(name)
            given = labels[name].cast(pa.string()) if pa.types.is_dictionary(field.type) else labels[name]
            blanked = pc.if_else(hidden, pa.scalar(value, given.type), given).cast(field.type)
            labels = labels.set_column(labels.schema.get_field_index(name), field, blanked)
    return labels


def training_data(prepared: Prepared, known: Known, now_ns: int, until_ns: int, folder: Path) -> Prepared:
    """A prepared folder whose history goes up to `until_ns` and says no more than is known at `now_ns`; the window to
    train on is as long as it was, and ends there."""
    folder.mkdir(parents=True, exist_ok=True)
    times = known.events["event_time_ns"].to_numpy()
    rows = pa.array(np.argsort(times, kind="stable")[: int(np.count_nonzero(times < until_ns))])
    for name, stream in (("history", known.events), ("history_labels", known.labels)):
        past = pq.read_table(prepared.file(name))
        whole = pa.concat_tables([past, stream.take(rows).select(past.column_names).cast(past.schema)])
        if name == "history_labels":
            whole = labels_known(whole, now_ns)
        pq.write_table(whole, folder / f"{name}.parquet", compression="zstd", compression_level=1)
    return replace(prepared, folder=folder, windows=moved(prepared.windows, until_ns))


def moved(windows: Windows, until_ns: int) -> Windows:
    """The training window moved, as long as it was: what was long ago counts no more."""
    length_ns = windows.train_until_ns - windows.train_from_ns
    return replace(windows, train_from_ns=until_ns - length_ns, train_until_ns=until_ns)


def told(data: Prepared, folder: Path) -> Mapping[str, Any]:
    """What an answer says of its training: the window, events and known frauds in it."""
    windows = data.windows
    times = pq.read_table(folder / "history.parquet", columns=["event_time_ns"])["event_time_ns"].to_numpy()
    fraud = pq.read_table(folder / "history_labels.parquet", columns=["is_fraud"])["is_fraud"].to_numpy()
    here = (times >= windows.train_from_ns) & (times < windows.train_until_ns)
    return {
        "from_ns": windows.train_from_ns,
        "until_ns": windows.train_until_ns,
        "events": int(here.sum()),
        "frauds": int(fraud[here].sum()),
    }
