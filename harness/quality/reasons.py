"""All reasons given for decisions as columns: those in the decisions, and the explanations that followed them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.quality.scored import Bools, Codes, Scores, codes_of
from streams.causes import CAUSES

Rows = npt.NDArray[np.int64]
PARTS = ("code", "kind", "cause", "contribution")


@dataclass(frozen=True, slots=True)
class GivenReasons:
    """Parallel arrays, one entry a reason, in the order they were given within an event.

    `event` is the row of the event, `is_rule` tells a rule from a feature, `code` indexes `codes`, `cause` indexes
    streams.causes.CAUSES (−1: not said), `contribution` is the feature's share of the margin (NaN for rules).
    """

    event: Rows
    is_rule: Bools
    code: Codes
    codes: list[str]
    cause: Codes
    contribution: Scores

    def __len__(self) -> int:
        return len(self.event)

    def of_events(self, kept: Bools) -> "GivenReasons":
        """Only reasons of the events kept (bool [events]); `event` then counts those."""
        place = np.cumsum(kept) - 1
        rows = kept[self.event]
        return GivenReasons(
            place[self.event[rows]],
            self.is_rule[rows],
            self.code[rows],
            self.codes,
            self.cause[rows],
            self.contribution[rows],
        )


def gather_reasons(event_ids: pa.ChunkedArray, decisions: pa.Table, explanations: pa.Table | None) -> GivenReasons:
    """Reasons of `event_ids`, matched by id: the decision's own first, then its explanation's. Both tables have the
    columns `event_id` and `reasons`; reasons of other events, and of an event's second explanation, are left out."""
    tables = [table for table in (decisions, explanations) if table is not None and "reasons" in table.column_names]
    parts = [_flatten(event_ids.combine_chunks(), table) for table in tables]
    flat = pa.concat_tables(parts) if parts else _nothing()
    order = np.argsort(flat["event"].to_numpy(), kind="stable")
    flat = flat.take(order)
    code, codes = codes_of(flat["code"])
    cause = pc.index_in(flat["cause"], value_set=pa.array(CAUSES)).fill_null(-1)
    return GivenReasons(
        event=flat["event"].to_numpy(),
        is_rule=pc.equal(flat["kind"], "rule").fill_null(False).to_numpy(),
        code=code,
        codes=codes,
        cause=np.asarray(cause.to_numpy(), np.int32),
        contribution=flat["contribution"].fill_null(np.nan).to_numpy(),
    )


def _nothing() -> pa.Table:
    words = pa.array([], pa.string())
    numbers = pa.array([], pa.float64())
    rows = pa.array([], pa.int64())
    return pa.table({"code": words, "kind": words, "cause": words, "contribution": numbers, "event": rows})


def _flatten(event_ids: pa.Array, table: pa.Table) -> pa.Table:
    ids = table["event_id"].combine_chunks().cast(pa.string())
    first = pc.index_in(event_ids, value_set=ids).drop_null()
    given = table.select(["event_id", "reasons"]).take(first).filter(_has_reasons(table["reasons"].take(first)))
    if len(given) == 0:
        return _nothing()
    event = pc.index_in(given["event_id"].combine_chunks().cast(pa.string()), value_set=event_ids)
    lists = given["reasons"].combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
    flat = pc.list_flatten(lists)
    parents = pc.list_parent_indices(lists)
    names = {field.name for field in flat.type}
    columns = {
        name: _part(flat, name, pa.float64() if name == "contribution" else pa.string(), name in names)
        for name in PARTS
    }
    return pa.table({**columns, "event": event.take(parents).cast(pa.int64())})


def _has_reasons(lists: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.greater(pc.fill_null(pc.list_value_length(lists), 0), 0)


def _part(flat: pa.StructArray, name: str, wanted: pa.DataType, there: bool) -> pa.Array:
    return pc.struct_field(flat, name).cast(wanted) if there else pa.nulls(len(flat), wanted)
