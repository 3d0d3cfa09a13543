"""What stage one raises: a raw alert about a customer, with its typology, window, reasons and evidence."""

from typing import Annotated

import msgspec

from streams.decision import Reason
from streams.transaction import Country, EventTime, Identifier

EVIDENCE_MAX = 50


class RawAlert(msgspec.Struct, frozen=True, kw_only=True):
    """A raw alert on the wire (`<prefix>.alerts`, JSON): one customer, one typology, one window of event time.

    `raised_by` is the transfer at which it was raised, `event_time_ns` that transfer's event time. `evidence` are the
    transfers that speak for it, at most `EVIDENCE_MAX`. `score` is the typology's, before the model ranks.
    """

    alert_id: Identifier
    customer_id: Identifier
    account_id: Identifier
    market: Country
    typology: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    window_from_ns: EventTime
    window_to_ns: EventTime
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]
    reasons: list[Reason]
    evidence: Annotated[list[Identifier], msgspec.Meta(max_length=EVIDENCE_MAX)]
    raised_by: Identifier
    event_time_ns: EventTime
