"""How often an event waited for a model call that took a time limit: its own, or one that it stood behind."""

import numpy as np

from harness.faults.rows import NEVER, Int64s, Rows

EVERY = slice(None)
LIMIT_SHARE = 0.95
"""From this share of the limit on a call has taken it: the stage is measured a little inside of the wait."""


def model_waits_max(rows: Rows, limit_ns: int, chosen: slice = EVERY) -> int | None:
    """The most such calls that any of the chosen events waited for; None where the scorer tells no stages of theirs.

    An event waited for a call of its worker that came to its end after the event was due and before it was decided.
    The call may be one of events that are not among the chosen.
    """
    told = (rows.emitted_ns != NEVER) & (rows.call_end_ns != NEVER)
    asked = np.zeros(len(rows), np.bool_)
    asked[chosen] = told[chosen]
    if not asked.any():
        return None
    most = 0
    for worker in np.unique(rows.worker[asked]):
        mine = asked & (rows.worker == worker)
        long = told & (rows.worker == worker) & (rows.call_ns >= LIMIT_SHARE * limit_ns)
        ends = np.unique(rows.call_end_ns[long])  # a call is a micro-batch's: all its events tell the same
        most = max(most, int(_between(ends, rows.intended_ns[mine], rows.emitted_ns[mine]).max()))
    return most


def _between(ends: Int64s, due_ns: Int64s, emitted_ns: Int64s) -> Int64s:
    """Of each event, how many of the ends lie after it was due and not after it was decided."""
    found = np.searchsorted(ends, emitted_ns, side="right") - np.searchsorted(ends, due_ns, side="right")
    return np.asarray(np.maximum(found, 0), np.int64)
