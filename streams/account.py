"""What a bank knows of its accounts from due diligence (CDD): whose they are, and what was expected of them."""

from typing import Literal

import pyarrow as pa

Kind = Literal["person", "business"]
KINDS: tuple[Kind, ...] = ("person", "business")
RISK_RATING_MIN, RISK_RATING_MAX = 1, 3

_CODED = pa.dictionary(pa.int32(), pa.string())

ACCOUNT_SCHEMA = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("customer_id", _CODED, nullable=False),
        pa.field("bank_id", _CODED, nullable=False),
        pa.field("market", _CODED, nullable=False),
        pa.field("currency", _CODED, nullable=False),
        pa.field("kind", _CODED, nullable=False),
        pa.field("segment", _CODED, nullable=False),
        pa.field("opened_at_ns", pa.int64(), nullable=False),
        pa.field("risk_rating", pa.int8(), nullable=False),
        pa.field("is_pep", pa.bool_(), nullable=False),
        pa.field("expected_monthly_minor", pa.int64(), nullable=False),
        pa.field("expected_cash_monthly_minor", pa.int64(), nullable=False),
        pa.field("expects_foreign", pa.bool_(), nullable=False),
    ]
)
"""One row an account; a scorer may see all of it, and nothing in it is truth about laundering.

`market` is the country (ISO 3166, two letters) whose bank holds the account, `segment` a person's segment or a
business's industry. `opened_at_ns` may lie after a world's start: an account yet to be opened. `risk_rating` is 1 (low)
to 3 (high), `is_pep` marks politically exposed persons. The expected volumes were declared by the customer: a month's
money in both directions, and its part in cash, in minor units of the account's currency; `expects_foreign`: payments
over borders were declared.
"""
