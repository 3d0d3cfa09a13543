"""Makes batches of a run's decisions and events, and the labels' arrivals, for the monitors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.decision_rows import with_large_features
from harness.drift.batch import Batch, Int64s, Names
from harness.drift.indices import feature_matrix
from streams.decision import OUTCOMES, PATHS

LOOKED_AT = ("ordinal", "outcome", "path", "score", "reasons", "features")
"""Columns of decisions.parquet that a batch is made of."""
NOT_CONTENT = frozenset({"event_id", "event_time_ns"})
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@dataclass(frozen=True, slots=True)
class Sides:
    """What the harness knows of every event sent, by ordinal: whose it is and of which group (−1: unknown), and the
    groups' names."""

    key: npt.NDArray[np.int32]
    group: npt.NDArray[np.int16]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Labels in the order in which they become known: of which event, bad or not, when (ns, event time)."""

    ordinal: Int64s
    is_bad: npt.NDArray[np.bool_]
    at_ns: Int64s

    @classmethod
    def delayed(
        cls, event_time_ns: Int64s, is_bad: npt.NDArray[np.bool_], reported_at_ns: Int64s, delay_ns: int
    ) -> "Arrivals":
        """A bad event is known when it is reported (`reported_at_ns` < 0: never); every other one is taken for good
        once the usual delay is over, as a bank does."""
        never = is_bad & (reported_at_ns < 0)
        known_bad = is_bad & ~never
        at_ns = np.where(known_bad, reported_at_ns, event_time_ns + delay_ns)
        order = np.argsort(at_ns, kind="stable")
        return cls(order.astype(np.int64), known_bad[order], at_ns[order])

    def until(self, after_ns: int, until_ns: int) -> "Arrivals":
        """Those that arrive after `after_ns` and not after `until_ns`."""
        first, last = np.searchsorted(self.at_ns, (after_ns, until_ns), side="right")
        return Arrivals(self.ordinal[first:last], self.is_bad[first:last], self.at_ns[first:last])


def batch_of(decisions: pa.Table, events: pa.Table, sides: Sides, features: Sequence[str]) -> tuple[Batch, Names]:
    """All answered decisions of decisions.parquet in the order of events, as one batch, and what its codes mean.

    `events` are those sent, by ordinal; `features` the bundle's names (none: what decisions carry is not looked at).
    Raises BadInputError when features do not match the bundle's names.
    """
    answered = in_order(decisions)
    ordinal = answered["ordinal"].to_numpy()
    hit_row, hit_rule, rules = _rule_hits(answered)
    batch = Batch(
        ordinal=ordinal,
        event_time_ns=events["event_time_ns"].to_numpy()[ordinal],
        score=answered["score"].cast(pa.float64()).to_numpy(),
        is_model=_codes(answered["path"], PATHS) == PATHS.index("model"),
        outcome=_codes(answered["outcome"], OUTCOMES),
        path=_codes(answered["path"], PATHS),
        features=_features(answered, len(features)),
        hit_row=hit_row,
        hit_rule=hit_rule,
        group=sides.group[ordinal],
        key=sides.key[ordinal],
        content=content_hash(events)[ordinal],
    )
    width = batch.features.shape[1]
    return batch, Names(tuple(features)[:width], rules, sides.groups)


def in_order(decisions: pa.Table) -> pa.Table:
    """What a batch is made of, of the answered decisions in the order of events."""
    answered = with_large_features(decisions.select([name for name in LOOKED_AT if name in decisions.column_names]))
    return answered.filter(pc.is_valid(answered["outcome"])).sort_by("ordinal")


def _codes(column: pa.ChunkedArray, names: Sequence[str]) -> npt.NDArray[np.int8]:
    found = pc.index_in(column.cast(pa.string()), pa.array(names))
    return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.int8)


def _features(answered: pa.Table, width: int) -> npt.NDArray[np.float32]:
    """float32 [n, width], NaN in the rows without; [n, 0] when no row has any."""
    given = feature_matrix(answered, width) if width else None
    if given is None:
        return np.zeros((len(answered), 0), np.float32)
    if len(given) == len(answered):
        return given
    matrix = np.full((len(answered), width), np.nan, np.float32)
    matrix[answered["features"].is_valid().to_numpy()] = given
    return matrix


def _rule_hits(answered: pa.Table) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], tuple[str, ...]]:
    reasons = answered["reasons"].combine_chunks()
    rows = pc.list_parent_indices(reasons)
    flat = pc.list_flatten(reasons)
    is_rule = pc.equal(pc.struct_field(flat, "kind"), "rule")
    codes = pc.struct_field(flat, "code").filter(is_rule).dictionary_encode()
    names = tuple(codes.dictionary.to_pylist())
    return rows.filter(is_rule).to_numpy().astype(np.int32), codes.indices.to_numpy().astype(np.int32), names


def content_hash(events: pa.Table) -> npt.NDArray[np.uint64]:
    """What each event says but for its id and time, as a hash; of one table only: words count by their place in it."""
    mixed = np.zeros(len(events), np.uint64)
    for name in events.column_names:
        if name not in NOT_CONTENT:
            mixed = (mixed ^ _bits(events[name])) * _PRIME
            mixed ^= mixed >> _SHIFT
    return mixed


def _bits(column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    if pa.types.is_floating(column.type):
        return np.asarray(column.cast(pa.float64()).fill_null(-1e300).to_numpy()).view(np.uint64)
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        whole = column.cast(pa.int64()).fill_null(-(2**62)).to_numpy()
        return np.asarray(whole, dtype=np.int64).view(np.uint64)
    words = column.cast(pa.string()).combine_chunks().dictionary_encode()
    return np.asarray(words.indices.fill_null(-1).to_numpy(), dtype=np.int64).view(np.uint64)
