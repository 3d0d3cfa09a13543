"""All reasons given for decisions as columns: those in the decisions, and the explanations that followed them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.quality.scored import Bools, Codes, Scores, codes_of
from streams.causes import CAUSES
from streams.stored_rows import WordCodes

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
        if kept.all():
            return self
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
    return GivenReasons(
        event=flat["event"].to_numpy(),
        is_rule=pc.equal(flat["kind"], "rule").fill_null(False).to_numpy(),
        code=code,
        codes=codes,
        cause=_cause_codes(flat["cause"]),
        contribution=flat["contribution"].fill_null(np.nan).to_numpy(),
    )


class CollectedReasons:
    """The same from blocks of rows that say of which event they are, instead of its id: all reasons of decisions first,
    then of explanations."""

    def __init__(self) -> None:
        self._codes = WordCodes()
        self._event, self._is_rule = [np.zeros(0, np.int64)], [np.zeros(0, np.bool_)]
        self._code, self._cause = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        self._contribution = [np.zeros(0)]

    def add(self, event: Rows, lists: pa.ChunkedArray, events: int) -> None:
        """Take the `reasons` of rows of the events `event` (int64 [n], each one once); none beyond `events`."""
        kept = _has_reasons(lists).to_numpy() & (event < events)
        if not kept.any():
            return
        chosen = lists.filter(pa.array(kept)).combine_chunks()
        flat = pc.list_flatten(chosen)
        names = {field.name for field in flat.type}
        code, kind, cause = (_part(flat, name, pa.string(), name in names) for name in ("code", "kind", "cause"))
        contribution = _part(flat, "contribution", pa.float64(), "contribution" in names)
        self._event.append(event[kept][pc.list_parent_indices(chosen).to_numpy()])
        self._is_rule.append(pc.equal(kind, "rule").fill_null(False).to_numpy(zero_copy_only=False))
        self._code.append(self._codes.of(pa.chunked_array([code])))
        self._cause.append(_cause_codes(cause))
        self._contribution.append(contribution.fill_null(np.nan).to_numpy())

    def in_order(self) -> GivenReasons:
        """All of them, by event."""
        event = np.concatenate(self._event)
        order = np.argsort(event, kind="stable")
        code = np.concatenate(self._code)[order]
        # words are numbered by the order in which they come first among the events
        found, first = np.unique(code[code >= 0], return_index=True)
        told = found[np.argsort(first)]
        place = np.full(len(self._codes.words) + 1, -1, np.int32)
        place[told] = np.arange(len(told), dtype=np.int32)
        return GivenReasons(
            event=event[order],
            is_rule=np.concatenate(self._is_rule)[order],
            code=place[code],
            codes=self._codes.words.take(pa.array(told, pa.int32())).to_pylist(),
            cause=np.concatenate(self._cause)[order],
            contribution=np.concatenate(self._contribution)[order],
        )


def _cause_codes(cause: pa.Array | pa.ChunkedArray) -> Codes:
    return np.asarray(pc.index_in(cause, value_set=pa.array(CAUSES)).fill_null(-1).to_numpy(), np.int32)


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
