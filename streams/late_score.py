"""What the model said of an event too late: kept for the audit, one JSON object a line."""

import msgspec

from streams.decision import Nanoseconds, Outcome
from streams.transaction import Identifier


class LateScore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The end of a model call past its time limit, for one of its events, which the rules had decided by then.

    `score` and `outcome` are what the decision would have been; without them the call failed, and `error` says how.
    `elapsed_ns` is how long the call took in all, `late_ns` how long after its limit it ended, and `ended_ns` when, on
    the monotonic clock of the scorer's host.
    """

    event_id: Identifier
    margin: float | None = None
    score: float | None = None
    outcome: Outcome | None = None
    error: str | None = None
    elapsed_ns: Nanoseconds
    late_ns: Nanoseconds
    ended_ns: Nanoseconds
    worker: str
    model_version: str
