"""The fraud event: one card transaction, as it arrives. No label in it."""

from typing import Annotated, Literal

import msgspec
import pyarrow as pa

from streams.currencies import Currency

Channel = Literal["chip", "contactless", "online", "atm"]
CHANNELS: tuple[Channel, ...] = ("chip", "contactless", "online", "atm")

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
EventTime = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000_000_000)]
"""Nanoseconds since the Unix epoch, UTC; at most the year 2100."""
AmountMinor = Annotated[int, msgspec.Meta(ge=0, le=100_000_000_000)]
"""Money in minor units (cents); at most a thousand million in major units."""


class CardTransaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One card transaction on the wire (`<scenario>.events`, JSON).

    What a source does not know is left out; the features that need it are then missing (NaN), never guessed.
    Unknown extra fields are ignored, so that a producer may add to the schema.
    """

    event_id: Identifier
    event_time_ns: EventTime
    card_id: Identifier
    amount_minor: AmountMinor
    currency: Currency
    customer_id: Identifier | None = None
    merchant_id: Identifier | None = None
    terminal_id: Identifier | None = None
    device_id: Identifier | None = None
    category: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    channel: Channel | None = None
    country: Country | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    is_refund: bool | None = None
    """True when the merchant pays `amount_minor` back to the card; absent for purchases."""


_CODED = pa.dictionary(pa.int32(), pa.string())

TRANSACTION_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("event_time_ns", pa.int64(), nullable=False),
        pa.field("card_id", _CODED, nullable=False),
        pa.field("amount_minor", pa.int64(), nullable=False),
        pa.field("currency", _CODED, nullable=False),
        pa.field("customer_id", _CODED),
        pa.field("merchant_id", _CODED),
        pa.field("terminal_id", _CODED),
        pa.field("device_id", _CODED),
        pa.field("category", _CODED),
        pa.field("channel", _CODED),
        pa.field("country", _CODED),
        pa.field("latitude", pa.float64()),
        pa.field("longitude", pa.float64()),
        pa.field("is_refund", pa.bool_()),
    ]
)
"""The same fields as columns: what worlds and datasets yield, in event-time order, and what history files hold."""
