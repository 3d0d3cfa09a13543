"""The money-laundering event: one transfer of money, as it arrives. No label in it."""

from typing import Annotated, Literal

import msgspec
import pyarrow as pa

from streams.transaction import AmountMinor, Country, EventTime, Identifier

Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
"""ISO 4217, or a code like it (`XBT`): who compares amounts refuses what has no rate."""

TransferChannel = Literal["wire", "instant", "card", "cheque", "cash_in", "cash_out", "virtual_asset"]
TRANSFER_CHANNELS: tuple[TransferChannel, ...] = (
    "wire",
    "instant",
    "card",
    "cheque",
    "cash_in",
    "cash_out",
    "virtual_asset",
)


class Transfer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transfer on the wire (`<prefix>.transfers`, JSON).

    `from_account` or `to_account` is left out where that side is not among the accounts known: cash, a shop's card
    terminal, an exchange for virtual assets, the unknown client of a foreign bank. What a source does not know is left
    out, never guessed. `amount_minor` leaves the sender, in `currency`; `received_minor` reaches the receiver, in
    `received_currency`, and both are there only when money was converted. Unknown extra fields are ignored.
    """

    event_id: Identifier
    event_time_ns: EventTime
    amount_minor: AmountMinor
    currency: Currency
    channel: TransferChannel
    from_account: Identifier | None = None
    to_account: Identifier | None = None
    from_bank: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    to_bank: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    from_country: Country | None = None
    to_country: Country | None = None
    received_minor: AmountMinor | None = None
    received_currency: Currency | None = None


_CODED = pa.dictionary(pa.int32(), pa.string())

TRANSFER_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("event_time_ns", pa.int64(), nullable=False),
        pa.field("amount_minor", pa.int64(), nullable=False),
        pa.field("currency", _CODED, nullable=False),
        pa.field("channel", _CODED, nullable=False),
        pa.field("from_account", _CODED),
        pa.field("to_account", _CODED),
        pa.field("from_bank", _CODED),
        pa.field("to_bank", _CODED),
        pa.field("from_country", _CODED),
        pa.field("to_country", _CODED),
        pa.field("received_minor", pa.int64()),
        pa.field("received_currency", _CODED),
    ]
)
"""The same fields as columns: what worlds and datasets yield, in event-time order, and what history files hold."""
