"""Ground truth about laundering, kept apart from transfers; a scorer learns of it only by investigators' findings."""

from typing import Literal

import msgspec
import pyarrow as pa

from streams.transaction import Country, EventTime, Identifier

UNTYPED = "untyped"
"""Typology of laundering without the shape of a pattern: what a launderer moves and spends as anybody would."""
Role = Literal["source", "layer", "mule", "sink", "shell", "beneficiary"]
ROLES: tuple[Role, ...] = ("source", "layer", "mule", "sink", "shell", "beneficiary")

_CODED = pa.dictionary(pa.int32(), pa.string())

LAUNDERING_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("is_laundering", pa.bool_(), nullable=False),
        pa.field("pattern_id", pa.int64()),
        pa.field("typology", _CODED),
        pa.field("look_alike", _CODED),
    ]
)
"""One row a transfer, in the transfers' order.

`pattern_id` and `typology` are null for genuine transfers and there for every laundering one; untyped patterns are a
customer's few transfers. `look_alike` names the genuine behaviour that imitates laundering (null otherwise).
"""

MEMBER_SCHEMA = pa.schema(
    [
        pa.field("pattern_id", pa.int64(), nullable=False),
        pa.field("typology", _CODED, nullable=False),
        pa.field("customer_id", _CODED, nullable=False),
        pa.field("account_id", _CODED, nullable=False),
        pa.field("role", _CODED, nullable=False),
    ]
)
"""Who belongs to a pattern, one row a member account. Victims, employers and others who are merely paid do not."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What an investigator found about an alert (`<prefix>.dispositions`, JSON); sent once event time passes
    `found_at_ns`.
    """

    alert_id: Identifier
    customer_id: Identifier
    found_at_ns: EventTime
    is_suspicious: bool
    market: Country
