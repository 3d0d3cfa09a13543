"""Whether a faster run decides as a slower one did: the stream of the one is the beginning of the other's.

The same world at a higher rate sends the same events sooner, and more of them after. What a decision depends on is
event time, never the clock (docs/architecture.md), so whatever both runs had must be decided alike; where it is not,
the scorer gives up quality to keep its pace, or decides by tables that came too late.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CHANGED_SHARE_MAX = 0.01
"""Of the events that either run flagged. Our own engines change none; a scorer of one's own may depend a little on what
came first."""


@dataclass(frozen=True, slots=True)
class Sameness:
    """Of `shared` events that both runs decided, either run flagged `flagged`; of all shared ones `changed` had another
    outcome."""

    shared: int
    flagged: int
    changed: int

    @property
    def holds(self) -> bool:
        """Too few changed to speak of."""
        return self.changed <= CHANGED_SHARE_MAX * self.flagged


def compare_outcomes(one: Path, other: Path) -> Sameness:
    """Two decisions.parquet, event by event; events that either run lost or did not have are left out."""
    first, second = _decided(one), _decided(other)
    rows = pc.index_in(second["event_id"].combine_chunks(), value_set=first["event_id"].combine_chunks())
    both = second.filter(pc.is_valid(rows))["outcome"].combine_chunks()
    before = first["outcome"].combine_chunks().take(rows.drop_null())
    flagged = pc.or_(pc.not_equal(before, "approve"), pc.not_equal(both, "approve"))
    return Sameness(len(both), _true(flagged), _true(pc.not_equal(before, both)))


def _decided(decisions: Path) -> pa.Table:
    rows = pq.read_table(decisions, columns=["event_id", "outcome"])
    rows = rows.set_column(1, "outcome", rows["outcome"].cast(pa.string()))
    return rows.filter(rows["outcome"].is_valid())


def _true(mask: pa.Array) -> int:
    return int(np.count_nonzero(mask.to_numpy(zero_copy_only=False)))
