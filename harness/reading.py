"""What messages of the decisions topic say by themselves: read wherever they were received, and as much of the work as
does not depend on what came before or elsewhere. Counting, the order, and what is kept of them follow in the collector.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress
from operator import attrgetter
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.accounts import EventIndex
from harness.audit_trail.bodies import Bodies
from harness.decision_rows import SAID_SCHEMA, said_rows
from harness.explanations import Asked, flags_of
from harness.ours import ours_of
from harness.spool import Stamped
from streams.codec import UNDECODABLE, decode_decision
from streams.decision import PATHS, Decision

logger = logging.getLogger("riskbench.harness.reading")
Int64s = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
CODES = {path: code for code, path in enumerate(PATHS)}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is no decision; `before` is how many decisions of its batch were received before it."""

    before: int
    error: str
    received_ns: int
    value: bytes


class Said(Protocol):
    """What decisions say, one after the other."""

    def chosen(self, which: npt.NDArray[np.bool_]) -> Self:
        """Those that `which` is true for."""

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several as one."""

    def table(self) -> pa.Table:
        """A row each: `decision_rows.SAID_SCHEMA`."""


@dataclass(frozen=True, slots=True)
class SaidObjects:
    """Decisions as they were decoded: made into rows only when there are many."""

    decisions: list[Decision]

    def chosen(self, which: npt.NDArray[np.bool_]) -> Self:
        """Those that `which` is true for."""
        return self if which.all() else type(self)(list(compress(self.decisions, which.tolist())))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several as one."""
        return cls(list(chain.from_iterable(part.decisions for part in parts)))

    def table(self) -> pa.Table:
        """A row each."""
        return said_rows(self.decisions)


@dataclass(frozen=True, slots=True)
class SaidRows:
    """Decisions as rows, as they come from another process."""

    rows: pa.Table

    def chosen(self, which: npt.NDArray[np.bool_]) -> Self:
        """Those that `which` is true for."""
        return self if which.all() else type(self)(self.rows.filter(pa.array(which)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several as one."""
        return cls(pa.concat_tables([part.rows for part in parts]) if parts else SAID_SCHEMA.empty_table())

    def table(self) -> pa.Table:
        """A row each."""
        return self.rows


@dataclass(frozen=True, slots=True)
class Reading:
    """Decisions in the order of receipt and, between them, what is no decision.

    Of each decision, [n]: when it was received (ns, monotonic), its event's ordinal (UNKNOWN: the stream has no such
    event), its path's place in PATHS, what `explanations.flags_of` says of it, and where there is an audit trail the
    body of its record; else `bodies` is empty. `size_bytes` is what all messages together have.
    """

    received_ns: Int64s
    ordinals: Int64s
    paths: Bytes
    flags: Bytes
    said: Said
    bodies: list[bytes]
    unreadable: list[Unreadable]
    size_bytes: int = 0

    def __len__(self) -> int:
        return len(self.received_ns)


class Reader:
    """Reads messages. Without `bodies` there is no audit trail; `asked` as in `explanations.Explanations`."""

    def __init__(self, index: EventIndex, asked: Asked, bodies: Bodies | None) -> None:
        self._index, self._asked, self._bodies = index, asked, bodies

    def read(self, stamped: Sequence[Stamped]) -> Reading:
        """Decode the messages, and say of each all that it says by itself."""
        stamped = ours_of(self._index, stamped)
        decisions, received, unreadable = _decoded(stamped)
        ordinals = self._index.of([decision.event_id for decision in decisions])
        bodies: list[bytes] = []
        if self._bodies is not None:
            rows = zip(decisions, received, ordinals.tolist(), strict=True)
            bodies = [self._bodies.of(*row) for row in rows]
        return Reading(
            received_ns=np.array(received, np.int64),
            ordinals=ordinals,
            paths=np.fromiter(map(CODES.__getitem__, map(attrgetter("path"), decisions)), np.uint8, len(decisions)),
            flags=flags_of(decisions, self._asked),
            said=SaidObjects(decisions),
            bodies=bodies,
            unreadable=unreadable,
            size_bytes=sum(len(value) for _, value in stamped),
        )


def _decoded(stamped: Sequence[Stamped]) -> tuple[list[Decision], list[int], list[Unreadable]]:
    """The decisions, when each was received, and what is none."""
    decisions: list[Decision] = []
    received: list[int] = []
    unreadable: list[Unreadable] = []
    for received_ns, value in stamped:
        try:
            decisions.append(decode_decision(value))
        except UNDECODABLE as error:
            unreadable.append(Unreadable(len(decisions), str(error), received_ns, value))
        else:
            received.append(received_ns)
    return decisions, received, unreadable
