"""What messages of the decisions topic say by themselves: read wherever they were received, and as much of the work as
does not depend on what came before or elsewhere. Counting, the order, and what is kept of them follow in the collector.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress
from operator import attrgetter
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.accounts import EventIndex
from harness.audit_trail.bodies import Bodies
from harness.decision_rows import SAID_SCHEMA, said_rows
from harness.decision_wire.arrived import Arrived
from harness.decision_wire.reader import PlainRows, read_none, read_plain
from harness.decision_wire.texts import Texts
from harness.explanations import Asked, flags_of, flags_of_rows
from harness.feed import event_hashes
from harness.ours import ours_of
from harness.spool import Stamped
from streams.codec import UNDECODABLE, decode_decision
from streams.decision import PATHS, Decision

logger = logging.getLogger("riskbench.harness.reading")
Int64s = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
WORTH_OF, UNTRIED = 4, 15
"""Where not every fourth decision is plain, so many batches are read without looking for any."""
FEW_OF = 50
"""Where at most one of so many decisions is not plain, those between them are put together as they stand."""
CODES = {path: code for code, path in enumerate(PATHS)}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is no decision; `before` is how many decisions of its batch were received before it."""

    before: int
    error: str
    received_ns: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Merging:
    """Where decisions that were read in two ways belong in their common order: the places of the plain ones and of the
    others, [n]."""

    plain: Int64s
    others: Int64s

    @classmethod
    def by(cls, is_plain: npt.NDArray[np.bool_]) -> Self:
        """Of decisions of which it is said whether each is plain."""
        return cls(np.flatnonzero(is_plain), np.flatnonzero(~is_plain))

    def of(self, plain: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of both."""
        if len(self.others) == 0:
            return plain
        found = np.empty(len(self.plain) + len(self.others), plain.dtype)
        found[self.plain], found[self.others] = plain, others
        return found

    @property
    def runs(self) -> list[tuple[bool, int, int]] | None:
        """The order as stretches of plain ones (True) and of others, from one to the other in their own counting; None
        where there are too many of them to be worth it."""
        if len(self.others) * FEW_OF > len(self.plain):
            return None
        found, done = list[tuple[bool, int, int]](), 0
        for number, place in enumerate(self.others.tolist()):
            found += [(True, done, place - number), (False, number, number + 1)]
            done = place - number
        return [*found, (True, done, len(self.plain))]

    @property
    def order(self) -> Int64s:
        """Of what holds the plain ones first and then the others: the places to take."""
        return self.of(np.arange(len(self.plain)), len(self.plain) + np.arange(len(self.others)))


@dataclass(frozen=True, slots=True)
class Said:
    """What n decisions say: `rows` of `decision_rows.SAID_SCHEMA`, and `others` as they were decoded, which become rows
    only when there are many. `is_row` [n] says in which of the two each is."""

    rows: pa.Table
    others: list[Decision]
    is_row: npt.NDArray[np.bool_]

    @classmethod
    def of_rows(cls, rows: pa.Table) -> Self:
        """Decisions that are rows already."""
        return cls(rows, [], np.ones(len(rows), np.bool_))

    def chosen(self, which: npt.NDArray[np.bool_]) -> Self:
        """Those that `which` is true for."""
        if which.all():
            return self
        others = list(compress(self.others, which[~self.is_row].tolist()))
        return type(self)(self.rows.filter(pa.array(which[self.is_row])), others, self.is_row[which])

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several as one."""
        return cls(
            pa.concat_tables([SAID_SCHEMA.empty_table(), *(part.rows for part in parts)]),
            list(chain.from_iterable(part.others for part in parts)),
            np.concatenate([np.zeros(0, np.bool_), *(part.is_row for part in parts)]),
        )

    def table(self) -> pa.Table:
        """A row each."""
        if not self.others:
            return self.rows
        others = said_rows(self.others)
        if len(self.rows) == 0:
            return others
        merging = Merging.by(self.is_row)
        if (runs := merging.runs) is None:
            return pa.concat_tables([self.rows, others]).combine_chunks().take(merging.order)
        return pa.concat_tables([(self.rows if one else others)[start:end] for one, start, end in runs])


@dataclass(frozen=True, slots=True)
class Reading:
    """Decisions in the order of receipt and, between them, what is no decision.

    Of each decision, [n]: when it was received (ns, monotonic), its event's ordinal (UNKNOWN: the stream has no such
    event), its path's place in PATHS, what `explanations.flags_of` says of it, and where there is an audit trail the
    body of its record; else `bodies` is None. `size_bytes` is what all messages together have.
    """

    received_ns: Int64s
    ordinals: Int64s
    paths: Bytes
    flags: Bytes
    said: Said
    bodies: Texts | None
    unreadable: list[Unreadable]
    size_bytes: int = 0

    def __len__(self) -> int:
        return len(self.received_ns)


class Reader:
    """Reads messages. Without `bodies` there is no audit trail; `asked` as in `explanations.Explanations`.

    Plain messages are read by a kernel (`decision_wire`), the others one by one. Where few are plain, most batches are
    not even tried."""

    def __init__(self, index: EventIndex, asked: Asked, bodies: Bodies | None) -> None:
        self._index, self._asked, self._bodies = index, asked, bodies
        self._untried = 0

    def read(self, stamped: Sequence[Stamped] | Arrived) -> Reading:
        """Decode the messages, and say of each all that it says by itself."""
        arrived = stamped if isinstance(stamped, Arrived) else Arrived.of(stamped)
        if self._index.others is not None:
            arrived = Arrived.of(ours_of(self._index, arrived.stamped()))
        plain = self._plain_of(arrived)
        others = np.flatnonzero(~plain.is_plain)
        decisions, unreadable = _decoded(arrived, others)
        readable = np.delete(np.arange(len(arrived)), [each.before for each in unreadable])
        is_plain = plain.is_plain[readable]
        merging = Merging.by(is_plain)
        ids = [decision.event_id for decision in decisions]
        ordinals = self._index.of_hashes(merging.of(plain.event_hashes(), event_hashes(ids)))
        received_ns = arrived.received_ns[readable]
        codes = np.fromiter(map(CODES.__getitem__, map(attrgetter("path"), decisions)), np.uint8, len(decisions))
        return Reading(
            received_ns=received_ns,
            ordinals=ordinals,
            paths=merging.of(plain.paths, codes),
            flags=merging.of(flags_of_rows(plain, self._asked), flags_of(decisions, self._asked)),
            said=Said(plain.table(), decisions, is_plain),
            bodies=None
            if self._bodies is None
            else _bodies(self._bodies, plain, decisions, merging, received_ns, ordinals),
            unreadable=[
                Unreadable(each.before - at, each.error, each.received_ns, each.value)
                for at, each in enumerate(unreadable)
            ],
            size_bytes=arrived.size_bytes,
        )

    def _plain_of(self, arrived: Arrived) -> PlainRows:
        if self._untried > 0:
            self._untried -= 1
            return read_none(arrived)
        plain = read_plain(arrived)
        if len(arrived) > WORTH_OF * len(plain):
            self._untried = UNTRIED
        return plain


def _bodies(
    bodies: Bodies,
    plain: PlainRows,
    decisions: list[Decision],
    merging: Merging,
    received_ns: Int64s,
    ordinals: Int64s,
) -> Texts:
    of_plain = bodies.of_rows(plain, ordinals[merging.plain])
    if not decisions:
        return of_plain
    rows = zip(decisions, received_ns[merging.others].tolist(), ordinals[merging.others].tolist(), strict=True)
    of_others = Texts.of([bodies.of(*row) for row in rows])
    if (runs := merging.runs) is None:
        return Texts.joined([of_plain, of_others]).taken(merging.order)
    return Texts.joined([(of_plain if one else of_others).part(slice(start, end)) for one, start, end in runs])


def _decoded(arrived: Arrived, which: Int64s) -> tuple[list[Decision], list[Unreadable]]:
    """The decisions among these messages, and what is none, each `before` its place among all."""
    decisions: list[Decision] = []
    unreadable: list[Unreadable] = []
    text, starts, ends = arrived.text.data, arrived.starts[which].tolist(), arrived.ends[which].tolist()
    for at, start, end in zip(which.tolist(), starts, ends, strict=True):
        value = bytes(text[start:end])
        try:
            decisions.append(decode_decision(value))
        except UNDECODABLE as error:
            unreadable.append(Unreadable(at, str(error), int(arrived.received_ns[at]), value))
    return decisions, unreadable
