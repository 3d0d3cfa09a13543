"""Where things stand in the kernel's arrays, and the lengths of its windows."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.features.batch import Float32s, Int32s, Int64s
from streams.labels import NS_PER_DAY, NS_PER_HOUR

WINDOWS_NS = (NS_PER_HOUR, NS_PER_DAY, 7 * NS_PER_DAY, 30 * NS_PER_DAY)
HOUR, DAY, WEEK, MONTH = 0, 1, 2, 3
WINDOWS = 4
LATENESS_NS = NS_PER_DAY
"""A late event up to this far behind its card's newest is exact."""
RETENTION_NS = 30 * NS_PER_DAY + LATENESS_NS
"""How far behind its card's newest an event is kept."""
AGE_DAYS_MAX = 30.0  # beyond it a card is not new; without it the age would be the calendar, and always drift
DEVICE_MEMORY_S = 30 * 86_400
EARTH_RADIUS_KM = 6_371.0088  # mean radius R1 of the IUGG
NO_DAY = -(2**62)
"""The day of an empty table."""

# An event in the arena: four int64. AMOUNT holds the amount in minor units, shifted by two bits, and two flags; the
# position is latitude (high half) and longitude (low half) in micro-degrees.
TIME, AMOUNT, HASH, POSITION = 0, 1, 2, 3
ENTRY_FIELDS = 4
REFUND, NEW_HERE, FLAG_BITS = 1, 2, 2
"""Flags of an event: money paid back; a purchase at a merchant new to the card when it arrived."""

# A card: HEAD, TAIL and the window starts are running event numbers; number k stands at k modulo the block's size.
BLOCK, SIZE_CLASS, HEAD, TAIL, FIRST_SEEN = 0, 1, 2, 3, 4
START, REFUNDS, SUM = 5, 9, 13
"""For each window: number of its first event, refunds in it, amounts of the purchases in it."""
NEW_MERCHANTS = 17
"""Purchases of the 7-day window at merchants new to the card."""
REFUND_SUM, LOG_SUM, LOG_SQUARES, LATITUDE_SUM, LONGITUDE_SUM, LOCATED = 18, 19, 20, 21, 22, 23
"""Of the 30-day window: refunds' amounts; logarithms and positions of its purchases."""
LARGEST, LARGEST_COUNT = 22, 24
"""For the 7- and 30-day windows (at the window's number): the largest purchase, and how many are as large."""
MERCHANTS, DEVICES, COUNTRIES = 28, 29, 30
CARD_FIELDS = 31
SMALLEST_CLASS = 2
"""A block of class k holds 2**k events; class 0 is no block."""
LARGEST_CLASS = 40

# Most recently used codes of a card, newest first, and beside each the second it was last used in.
MERCHANTS_KEPT, DEVICES_KEPT, COUNTRIES_KEPT, RECENT_FIELDS = 32, 8, 8, 48
MERCHANTS_AT, DEVICES_AT, COUNTRIES_AT = 0, 32, 40

LOG_UNIT = 256
"""Steps to a doubling in the integer logarithm of amounts."""
SPREAD_MIN = LOG_UNIT / 8
"""A card's spread of amounts counts as at least an eighth of a doubling."""
SPREAD_EVENTS_MIN = 3

# What the card's history says about one event, before it becomes floats. The event itself is not in it.
OTHERS, OTHERS_SUM, OTHERS_REFUNDED, OTHERS_REFUND_SUM, OTHERS_NEW = 0, 4, 8, 9, 10
OTHERS_LOG_SUM, OTHERS_LOG_SQUARES, OTHERS_LARGEST_7D, OTHERS_LARGEST = 11, 12, 26, 13
OTHERS_LATITUDES, OTHERS_LONGITUDES, OTHERS_LOCATED = 14, 15, 16
HAS_LAST, LAST_TIME, LAST_POSITION, FIRST = 17, 18, 19, 20
NEW_MERCHANT, NEW_DEVICE, NEW_COUNTRY, SINCE_MERCHANT_S, DEVICES_USED = 21, 22, 23, 24, 25
PLACE_OF_MERCHANT, PLACE_OF_DEVICE, PLACE_OF_COUNTRY = 27, 28, 29
"""Where the event's codes stand among the card's recent ones (behind them: nowhere)."""
SEEN_FIELDS = 30
UNKNOWN = -1
"""A NEW_… of a null id, a SINCE_MERCHANT_S or DEVICES_USED that cannot be known."""

ON_TIME, LATE, TOO_LATE, REPEATED = 0, 1, 2, 3
NO_ROOM = 255

IS_REFUND_AT = 27
"""Column of the first feature of the card's habits; those before it are numbered where they are written."""

Entry = tuple[Any, Any, Any, Any]
"""Time, amount with flags, hash and position of one event, as it stands in the arena."""
Codes = tuple[Any, Any, Any]
"""Merchant, device and country of one event."""
UInt32s = npt.NDArray[np.uint32]


class CardStore(NamedTuple):
    """All cards: `cards` [cards, 31], `recent` codes and `met` seconds [cards, 48], `arena` [events, 4], `pool` [41]: 0
    is the first entry never given out, k the first free block of class k (or -1; a free block's first word names the
    next)."""

    cards: Int64s
    recent: Int32s
    met: UInt32s
    arena: Int64s
    pool: Int64s


class PlaceTables(NamedTuple):
    """Day tables held: `days` [tables] (NO_DAY: empty); for each kind its rows float32 [tables, places, width] by code,
    and the row of a place that a table does not name, float32 [width]."""

    days: Int64s
    terminal: Float32s
    merchant: Float32s
    device: Float32s
    no_terminal: Float32s
    no_merchant: Float32s
    no_device: Float32s
