"""The events that two runs of the same stream decided otherwise, with both decisions side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.replaying.decided import BESIDE, DECIDING, lengths

DIFFERENCES_FILE = "differences.parquet"
SIDES = ("before", "after")
_TOLD = tuple(name for name in (*DECIDING, *BESIDE) if name != "ordinal")
_BAD = ("is_fraud", "is_laundering")
Bools = npt.NDArray[np.bool_]


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Events whose outcome went from `before` to `after` (null: not decided); `bad` of them are fraud or laundering
    (null: not known)."""

    before: str | None
    after: str | None
    events: int
    bad: int | None


@dataclass(frozen=True, slots=True)
class Differences:
    """Two runs' decisions held against each other: `rows` as differences.parquet has them, of `compared` events."""

    compared: int
    rows: pa.Table

    def by_part(self) -> dict[str, int]:
        """Of how many events each part of the decision differs."""
        counted = pc.value_counts(self.rows["differs"].combine_chunks().flatten())
        found = {entry["values"]: entry["counts"] for entry in counted.to_pylist()}
        return {part: int(found.get(part, 0)) for part in DECIDING}

    def flows(self) -> list[Flow]:
        """From which outcome to which, the most frequent first."""
        before, after = self.rows["before_outcome"], self.rows["after_outcome"]
        moved = self.rows.filter(pa.array(_unlike(before.combine_chunks(), after.combine_chunks())))
        told = {"before": moved["before_outcome"], "after": moved["after_outcome"]}
        table = pa.table({**told, "bad": moved["is_bad"].cast(pa.int64())})
        grouped = table.group_by(["before", "after"]).aggregate([([], "count_all"), ("bad", "sum")])
        found = [
            Flow(before=row["before"], after=row["after"], events=row["count_all"], bad=row["bad_sum"])
            for row in grouped.to_pylist()
        ]
        return sorted(found, key=lambda flow: (-flow.events, flow.before or "", flow.after or ""))

    def score_change_max(self) -> float | None:
        """The largest change of a score; None where no event was scored twice and otherwise."""
        found: float | None = pc.max(_score_change(self.rows)).as_py()
        return found

    def foremost(self, limit: int) -> list[dict[str, Any]]:
        """At most `limit` rows: another outcome first, then by how far the score went."""
        outcome = _unlike(*(self.rows[f"{side}_outcome"].combine_chunks() for side in SIDES))
        change = _score_change(self.rows).fill_null(0.0).to_numpy()
        order = np.lexsort((self.rows["ordinal"].to_numpy(), -change, ~outcome))
        found: list[dict[str, Any]] = self.rows.take(pa.array(order[:limit])).to_pylist()
        return found


def _score_change(rows: pa.Table) -> pa.ChunkedArray:
    return pc.abs(pc.subtract(rows["after_score"], rows["before_score"]))


def find_differences(before: pa.Table, after: pa.Table, run: Path) -> Differences:
    """Hold two tables of `read_decided` against each other; an event that one of them does not have was not decided
    there. `run` is a run folder of that stream, for event times and the truth."""
    ids = pc.unique(pa.chunked_array([*before["event_id"].chunks, *after["event_id"].chunks], pa.string()))
    sides = [side.take(pc.index_in(ids, value_set=side["event_id"].combine_chunks())) for side in (before, after)]
    unlike = {name: _unlike(*(side[name].combine_chunks() for side in sides)) for name in DECIDING}
    rows = np.flatnonzero(np.logical_or.reduce(list(unlike.values())))
    chosen = [side.take(pa.array(rows)) for side in sides]
    ordinals = pc.coalesce(*(side["ordinal"] for side in chosen))
    columns = {
        "event_id": ids.take(pa.array(rows)),
        "ordinal": ordinals,
        **_of_stream(run, ordinals),
        "differs": _names({name: mask[rows] for name, mask in unlike.items()}),
        **{f"{side}_{name}": table[name] for side, table in zip(SIDES, chosen, strict=True) for name in _TOLD},
    }
    return Differences(len(ids), pa.table(columns).sort_by("ordinal"))


def _of_stream(run: Path, ordinals: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """Event time and whether it is bad, by ordinal."""
    times = pq.read_table(run / "events.parquet", columns=["event_time_ns"])["event_time_ns"]
    labels = run / "labels.parquet"
    truth = [name for name in _BAD if labels.is_file() and name in pq.read_schema(labels).names]
    bad = pq.read_table(labels, columns=truth)[0].take(ordinals) if truth else pa.nulls(len(ordinals), pa.bool_())
    return {"event_time_ns": times.take(ordinals), "is_bad": bad}


def _names(masks: dict[str, Bools]) -> pa.ListArray:
    """Of each row the names of the masks that hold for it."""
    rows, which = np.nonzero(np.column_stack(list(masks.values())))
    ends = np.searchsorted(rows, np.arange(len(next(iter(masks.values()))) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(ends, pa.array(list(masks)).take(pa.array(which)))


def _unlike(one: pa.Array, other: pa.Array) -> Bools:
    """Where two arrays of the same type and length are not the same, bool [n]; numbers to the last bit."""
    if pa.types.is_list(one.type):
        return _lists_unlike(one, other)
    there = [side.is_valid().to_numpy(zero_copy_only=False) for side in (one, other)]
    if pa.types.is_floating(one.type):
        bits = [side.fill_null(0.0).to_numpy(zero_copy_only=False).view(np.int64) for side in (one, other)]
        values = bits[0] != bits[1]
    else:
        values = pc.not_equal(one.fill_null(""), other.fill_null("")).to_numpy(zero_copy_only=False)
    unlike: Bools = values | (there[0] != there[1])
    return unlike


def _lists_unlike(one: pa.Array, other: pa.Array) -> Bools:
    counts = [lengths(side) for side in (one, other)]
    there = [side.is_valid().to_numpy(zero_copy_only=False) for side in (one, other)]
    unlike: Bools = (counts[0] != counts[1]) | (there[0] != there[1])
    alike = np.flatnonzero(~unlike)
    parents = np.repeat(alike, counts[0][alike])
    for mine, theirs in _parts(one.take(pa.array(alike)), other.take(pa.array(alike))):
        unlike[parents[_unlike(mine, theirs)]] = True
    return unlike


def _parts(one: pa.Array, other: pa.Array) -> Iterator[tuple[pa.Array, pa.Array]]:
    """The fields of the lists' elements, one after another."""
    yield from zip(one.flatten().flatten(), other.flatten().flatten(), strict=True)
