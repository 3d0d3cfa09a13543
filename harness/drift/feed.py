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
from streams.stored_rows import WordCodes

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


@dataclass(frozen=True, slots=True)
class Sent:
    """What is known of every event sent, by ordinal: when it happened (ns), its sides, and `content` as in a batch."""

    event_time_ns: Int64s
    sides: Sides
    content: npt.NDArray[np.uint64]


def batch_of(decisions: pa.Table, events: pa.Table, sides: Sides, features: Sequence[str]) -> tuple[Batch, Names]:
    """All answered decisions of decisions.parquet in the order of events, as one batch, and what its codes mean.

    `events` are those sent, by ordinal; `features` the bundle's names (none: what decisions carry is not looked at).
    Raises BadInputError when features do not match the bundle's names.
    """
    answered = in_order(decisions)
    rules = Rules()
    rules.see(answered)
    sent = Sent(events["event_time_ns"].to_numpy(), sides, content_hash(events))
    width = len(features) if has_features(answered) else 0
    return batch_in_order(answered, sent, rules, width), Names(tuple(features)[:width], rules.names, sides.groups)


def has_features(rows: pa.Table) -> bool:
    """Whether any of these rows carries features."""
    return "features" in rows.column_names and rows["features"].null_count < len(rows)


def batch_in_order(answered: pa.Table, sent: Sent, rules: "Rules", width: int) -> Batch:
    """Answered decisions, columns LOOKED_AT in the order of events, as a batch of `width` features; `rules` has seen
    them. Raises BadInputError when features have another width."""
    ordinal = answered["ordinal"].to_numpy()
    hit_row, hit_rule = rules.hits(answered)
    path = _codes(answered["path"], PATHS)
    return Batch(
        ordinal=ordinal,
        event_time_ns=sent.event_time_ns[ordinal],
        score=answered["score"].cast(pa.float64()).to_numpy(),
        is_model=path == PATHS.index("model"),
        outcome=_codes(answered["outcome"], OUTCOMES),
        path=path,
        features=_features(answered, width),
        hit_row=hit_row,
        hit_rule=hit_rule,
        group=sent.sides.group[ordinal],
        key=sent.sides.key[ordinal],
        content=sent.content[ordinal],
    )


def in_order(decisions: pa.Table) -> pa.Table:
    """What a batch is made of, of the answered decisions in the order of events."""
    answered = with_large_features(decisions.select([name for name in LOOKED_AT if name in decisions.column_names]))
    return answered.filter(pc.is_valid(answered["outcome"])).sort_by("ordinal")


def _codes(column: pa.ChunkedArray, names: Sequence[str]) -> npt.NDArray[np.int8]:
    found = pc.index_in(column.cast(pa.string()), pa.array(names))
    return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.int8)


def _features(answered: pa.Table, width: int) -> npt.NDArray[np.float32]:
    """float32 [n, width], NaN in the rows without."""
    given = feature_matrix(answered, width) if width else None
    if given is not None and len(given) == len(answered):
        return given
    matrix = np.full((len(answered), width), np.nan, np.float32)
    if given is not None:
        matrix[answered["features"].is_valid().to_numpy()] = given
    return matrix


class Rules:
    """Codes of rules in the order in which they come first in the stream, whatever the order of the blocks seen."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[int, int]] = {}

    def see(self, answered: pa.Table) -> None:
        """Look at the rules that fired in a block of answered decisions (`ordinal`, `reasons`)."""
        rows, codes = _rule_hits(answered)
        words = codes.dictionary_encode()
        ordinals = answered["ordinal"].to_numpy()[rows]
        for code, word in enumerate(words.dictionary.to_pylist()):
            here = np.flatnonzero(words.indices.to_numpy() == code)
            first = here[np.argmin(ordinals[here])]
            place = (int(ordinals[first]), int(first - np.searchsorted(rows, rows[first])))
            self._first[word] = min(place, self._first.get(word, place))

    @property
    def names(self) -> tuple[str, ...]:
        """The codes seen."""
        return tuple(sorted(self._first, key=lambda word: self._first[word]))

    def hits(self, answered: pa.Table) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Line and code of every rule that fired."""
        rows, codes = _rule_hits(answered)
        found = pc.index_in(codes, value_set=pa.array(self.names, pa.string()))
        return rows.astype(np.int32), found.to_numpy().astype(np.int32)


def _rule_hits(answered: pa.Table) -> tuple[Int64s, pa.Array]:
    """Line and rule code of every rule that fired, by line."""
    reasons = answered["reasons"].combine_chunks()
    flat = pc.list_flatten(reasons)
    is_rule = pc.equal(pc.struct_field(flat, "kind"), "rule")
    rows = pc.list_parent_indices(reasons).filter(is_rule).to_numpy().astype(np.int64)
    return rows, pc.struct_field(flat, "code").filter(is_rule)


def content_hash(events: pa.Table) -> npt.NDArray[np.uint64]:
    """What each event says but for its id and time, as a hash; of one table only: words count by their place in it."""
    return ContentHash().of(events)


class ContentHash:
    """The same over as many blocks of a table as there are."""

    def __init__(self) -> None:
        self._words: dict[str, WordCodes] = {}

    def of(self, events: pa.Table) -> npt.NDArray[np.uint64]:
        """uint64 [n] of a block's events."""
        mixed = np.zeros(len(events), np.uint64)
        for name in events.column_names:
            if name not in NOT_CONTENT:
                mixed = (mixed ^ self._bits(name, events[name])) * _PRIME
                mixed ^= mixed >> _SHIFT
        return mixed

    def _bits(self, name: str, column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
        if pa.types.is_floating(column.type):
            return np.asarray(column.cast(pa.float64()).fill_null(-1e300).to_numpy()).view(np.uint64)
        if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
            whole = column.cast(pa.int64()).fill_null(-(2**62)).to_numpy()
            return np.asarray(whole, dtype=np.int64).view(np.uint64)
        return self._words.setdefault(name, WordCodes()).of(column).astype(np.int64).view(np.uint64)
