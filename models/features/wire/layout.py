"""The fields of a transaction, what each may hold, and where the kernel puts it."""

from typing import Any, cast

import numpy as np
from msgspec.inspect import StructType, type_info

from streams.kernels.json_fields import table_of
from streams.transaction import CardTransaction

FIELDS = CardTransaction.__struct_fields__
(
    EVENT_ID, EVENT_TIME, CARD_ID, AMOUNT, CURRENCY_FIELD, CUSTOMER_ID, MERCHANT_ID, TERMINAL_ID, DEVICE_ID,
    CATEGORY_FIELD, CHANNEL_FIELD, COUNTRY_FIELD, LATITUDE, LONGITUDE, IS_REFUND,
) = range(len(FIELDS))  # fmt: skip
REQUIRED = 1 << EVENT_ID | 1 << EVENT_TIME | 1 << CARD_ID | 1 << AMOUNT | 1 << CURRENCY_FIELD

_TYPES = {field.name: field.type for field in cast(StructType, type_info(CardTransaction)).fields}


def _limit(field: str, bound: str) -> Any:
    """A bound that the schema sets to a field."""
    kinds = getattr(_TYPES[field], "types", (_TYPES[field],))
    return next(found for kind in kinds if (found := getattr(kind, bound, None)) is not None)


TIME_NS_MAX, AMOUNT_MINOR_MAX = int(_limit("event_time_ns", "le")), int(_limit("amount_minor", "le"))
ID_BYTES_MAX, CATEGORY_BYTES_MAX = int(_limit("card_id", "max_length")), int(_limit("category", "max_length"))
LATITUDE_MAX, LONGITUDE_MAX = float(_limit("latitude", "le")), float(_limit("longitude", "le"))
DIGITS_EXACT = 15
"""A decimal of so many digits is the quotient of two floats that are exact, and so rounded as it should be."""

# What stands in a row's text, as an id that has a code, or as a word of a list. The first ones are interned.
CARD, MERCHANT, TERMINAL, DEVICE, COUNTRY, CATEGORY, CHANNEL, CURRENCY = range(8)
INTERNED_KINDS = ("card", "merchant", "terminal", "device", "country")
KINDS_INTERNED = len(INTERNED_KINDS)

NO_KIND = -1
KIND_OF_FIELD = np.full(len(FIELDS), NO_KIND, np.int64)
KIND_OF_FIELD[[CARD_ID, MERCHANT_ID, TERMINAL_ID, DEVICE_ID]] = CARD, MERCHANT, TERMINAL, DEVICE
KIND_OF_FIELD[[COUNTRY_FIELD, CATEGORY_FIELD, CHANNEL_FIELD]] = COUNTRY, CATEGORY, CHANNEL
KIND_OF_FIELD[CURRENCY_FIELD] = CURRENCY

KEYS, KEY_BYTES = table_of([f'"{name}":' for name in FIELDS])
"""Each field's name with its quotes and colon."""

# Rows of the arrays that the kernel fills, one column an event.
HASH, TIME_NS, AMOUNT_MINOR, WHOLES = 0, 1, 2, 3
LATITUDE_E6, LONGITUDE_E6, CODES = 5, 6, 7
"""Codes of the interned kinds come first."""
CATEGORY_PLACE, CHANNEL_PLACE, PLACES = 0, 1, 2
EVENT_ID_SPAN, SPANS = KINDS_INTERNED, KINDS_INTERNED + 1
"""Where in the text the interned ids stand, then the event's own id."""
