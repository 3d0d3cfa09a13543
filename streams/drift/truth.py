"""What is known about a drift because it was made: when, what, and what one would rightly blame."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from streams.drift.drift import Drift, Family
from streams.drift.material import Material, Rows
from streams.drift.onset import Shape


class DriftTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One drift of a stream. Times are event times, ns UTC: it lies in [`onset_ns`, `until_ns`).

    `place` is its number in the list of drifts. `fields` are the columns of events that were shifted, `blamed` the
    beginnings of the names of the features that one would rightly blame. Events are of the stream but for
    `history_removed`.
    """

    place: int
    kind: str
    family: Family
    is_control: bool
    shape: Shape
    onset_ns: int
    until_ns: int
    fields: tuple[str, ...]
    blamed: tuple[str, ...]
    events_touched: int
    events_added: int
    events_removed: int
    history_removed: int


def truth_of(drift: Drift, before: Material, after: Material, stream: Rows) -> DriftTruth:
    """What came of applying one drift; `stream` is what is streamed in the end."""
    until_ns = drift.until_ns(before.start_ns)
    last_ns = int(stream.time_ns[-1]) + 1
    grown = len(after.stream) - len(before.stream)
    return DriftTruth(
        place=before.place,
        kind=drift.kind,
        family=drift.family,
        is_control=drift.is_control,
        shape=drift.shape,
        onset_ns=drift.onset_ns(before.start_ns),
        until_ns=last_ns if until_ns is None else min(until_ns, last_ns),
        fields=drift.fields(before.domain),
        blamed=drift.blamed(before.domain),
        events_touched=int(stream.touched(before.place).sum()),
        events_added=max(grown, 0),
        events_removed=max(-grown, 0),
        history_removed=len(before.history) - len(after.history),
    )


def truth_table(stream: Rows, drifts: int) -> pa.Table:
    """One row an event of the stream, in its order: `event_id`, `true_time_ns` (when it really happened), `pace` (how
    many times faster than scheduled it comes), and for each drift `drift_<place>`: whether it touched the event."""
    columns: dict[str, Any] = {
        "event_id": stream.events["event_id"],
        "true_time_ns": pa.array(stream.time_ns),
        "pace": pa.array(stream.pace),
    }
    return pa.table(columns | {f"drift_{place}": pa.array(stream.touched(place)) for place in range(drifts)})


def faster(schedule_ns: Any, pace: Any) -> Any:
    """A schedule (ns from the start, int64 [n]) whose gaps are divided by each event's `pace`."""
    gaps = np.diff(schedule_ns, prepend=0)
    return np.rint(np.cumsum(gaps / pace)).astype(np.int64)
