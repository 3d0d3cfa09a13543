"""Brings events, labels and decisions together: one row an event, what never came back included."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.decision import PATHS
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Ints = npt.NDArray[np.signedinteger[Any]]
"""Integers of any width."""
Scores = npt.NDArray[np.float64]

NOT_RANKED = -1.0
"""Score of an event that has no decision: below every real score (those are 0 … 1), so that it ranks last."""
NO_PATH = -1
ROW_FIELDS = (
    "is_fraud",
    "score",
    "decided",
    "flagged",
    "response_ns",
    "path",
    "day",
    "amount_minor",
    "card",
    "scenario",
    "look_alike",
)


@dataclass(frozen=True, slots=True)
class Scored:
    """Parallel arrays, one entry an event; a long run has many, so none need be wider than it must. `card`, `scenario`
    and `look_alike` are codes into their names (−1: none); `path` an index into streams.decision.PATHS (−1: no
    decision)."""

    is_fraud: Bools
    score: Scores
    decided: Bools
    flagged: Bools
    response_ns: Int64s
    path: Ints
    day: Ints
    amount_minor: Int64s
    card: Codes
    card_names: list[str]
    scenario: Codes
    scenario_names: list[str]
    look_alike: Codes
    look_alike_names: list[str]

    def __len__(self) -> int:
        return len(self.is_fraud)

    def only(self, chosen: Bools) -> "Scored":
        """The chosen events; all of them are not copied."""
        if chosen.all():
            return self
        rows = {name: getattr(self, name)[chosen] for name in ROW_FIELDS}
        return replace(self, **rows)


def gather(decisions: pa.Table, events: pa.Table, labels: pa.Table) -> Scored:
    """Match by event id. An event without a decided row counts as lost; of two rows for one event the first counts.

    Raises BadInputError when an event has no label.
    """
    ids = events["event_id"].combine_chunks()
    truth = labels_of(events["event_id"], labels)
    row = pc.index_in(ids, value_set=decisions["event_id"].combine_chunks())
    given = decisions.select(["status", "outcome", "score", "path", "response_ns"]).take(row)
    decided = equals(given["status"], "decided") | equals(given["status"], "late")
    card, card_names = codes_of(events["card_id"])
    scenario, scenario_names = codes_of(truth["scenario"])
    look_alike, look_alike_names = codes_of(truth["look_alike"])
    return Scored(
        is_fraud=truth["is_fraud"].to_numpy(),
        score=np.where(decided, given["score"].fill_null(0.0).to_numpy(), NOT_RANKED),
        decided=decided,
        flagged=decided & (equals(given["outcome"], "review") | equals(given["outcome"], "block")),
        response_ns=given["response_ns"].fill_null(0).to_numpy(),
        path=np.where(decided, path_codes(given["path"]), NO_PATH).astype(np.int32),
        day=events["event_time_ns"].to_numpy() // NS_PER_DAY,
        amount_minor=events["amount_minor"].to_numpy(),
        card=card,
        card_names=card_names,
        scenario=scenario,
        scenario_names=scenario_names,
        look_alike=look_alike,
        look_alike_names=look_alike_names,
    )


def labels_of(event_ids: pa.ChunkedArray, labels: pa.Table) -> pa.Table:
    """The labels of these events, row for row. Raises BadInputError when one has none."""
    ids = event_ids.combine_chunks()
    label_row = pc.index_in(ids, value_set=labels["event_id"].combine_chunks())
    if label_row.null_count:
        first = ids[pc.index(label_row.is_null(), pa.scalar(True)).as_py()].as_py()
        raise BadInputError(f"{label_row.null_count} events have no label; the first is {first!r}")
    return labels.take(label_row)


def equals(column: pa.ChunkedArray, word: str) -> Bools:
    """Which entries of a column of words are `word`."""
    return np.asarray(
        pc.equal(column.cast(pa.string()), word).fill_null(False).to_numpy(zero_copy_only=False), dtype=bool
    )


def path_codes(column: pa.ChunkedArray) -> Codes:
    """A column of paths as places in PATHS (NO_PATH: none)."""
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(PATHS))
    return np.asarray(found.fill_null(NO_PATH).to_numpy(), dtype=np.int32)


def codes_of(column: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    """A column of words as codes (−1: null) and their names."""
    encoded = column.cast(pa.string()).dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(), dtype=np.int32), encoded.dictionary.to_pylist()
