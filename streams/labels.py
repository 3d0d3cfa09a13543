"""Ground truth, kept apart from events; it reaches a scorer only as a disposition, after its delay in event time."""

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streams.transaction import EventTime, Identifier

LABEL_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("is_fraud", pa.bool_(), nullable=False),
        pa.field("scenario", pa.dictionary(pa.int32(), pa.string())),
        pa.field("look_alike", pa.dictionary(pa.int32(), pa.string())),
        pa.field("reported_at_ns", pa.int64()),
    ]
)
"""One row an event, in the events' order.

`scenario` names the fraud scenario (null for genuine events), `look_alike` the genuine behaviour that imitates fraud
(null otherwise), `reported_at_ns` the event time at which a fraud becomes known (null: never, and for genuine events).
"""


class Disposition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fraud that has become known (`<scenario>.dispositions`, JSON); sent once event time passes `reported_at_ns`."""

    event_id: Identifier
    event_time_ns: EventTime
    reported_at_ns: EventTime
    is_fraud: bool
    card_id: Identifier
    merchant_id: Identifier | None = None
    terminal_id: Identifier | None = None
    device_id: Identifier | None = None


class DayEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A business day's trailer record (`<scenario>.day-ends`, JSON): control totals, as in a bank's batch files.

    `day` is the business day just closed. `events` counts all events of the stream so far (history excluded) with
    business day ≤ `day`; `dispositions` counts all dispositions sent so far whose `reported_at_ns` lies in a business
    day ≤ `day`. Who has received that many knows that it has them all.
    """

    day: int
    events: int
    dispositions: int


NS_PER_S = 1_000_000_000
NS_PER_HOUR = 3_600 * NS_PER_S
NS_PER_DAY = 24 * NS_PER_HOUR
CUT_OFF_NS = 2 * NS_PER_HOUR
"""The nightly job's cut-off: a business day closes this long before midnight UTC; its table is there by midnight."""


def business_day(event_time_ns: int) -> int:
    """Business day of an event time: business day d runs from 22:00 UTC of calendar day d-1 to 22:00 UTC of day d."""
    return (event_time_ns + CUT_OFF_NS) // NS_PER_DAY


def business_days(event_times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Business days of event times, int64 [n]; see `business_day`."""
    return (event_times_ns + CUT_OFF_NS) // NS_PER_DAY


def calendar_day(event_time_ns: int) -> int:
    """Calendar day (UTC) since the Unix epoch."""
    return event_time_ns // NS_PER_DAY
