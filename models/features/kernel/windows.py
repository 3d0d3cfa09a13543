"""Integer sums over a card's windows, moved with its newest event or summed afresh for a late one."""

import math

from models.features.batch import MISSING_E6, Int64s
from models.features.kernel.layout import (
    AMOUNT,
    CARD_FIELDS,
    FIRST_SEEN,
    FLAG_BITS,
    LARGEST,
    LARGEST_COUNT,
    LATITUDE_SUM,
    LOCATED,
    LOG_SQUARES,
    LOG_SUM,
    LOG_UNIT,
    LONGITUDE_SUM,
    MONTH,
    NEW_HERE,
    NEW_MERCHANTS,
    OTHERS,
    OTHERS_LARGEST,
    OTHERS_LARGEST_7D,
    OTHERS_LATITUDES,
    OTHERS_LOCATED,
    OTHERS_LOG_SQUARES,
    OTHERS_LOG_SUM,
    OTHERS_LONGITUDES,
    OTHERS_NEW,
    OTHERS_REFUND_SUM,
    OTHERS_REFUNDED,
    OTHERS_SUM,
    POSITION,
    REFUND,
    REFUND_SUM,
    REFUNDS,
    START,
    SUM,
    TAIL,
    TIME,
    WEEK,
    WINDOWS,
    WINDOWS_NS,
    Entry,
)
from models.features.kernel.ring import entry_of, first_after, insert
from streams.kernels.compiled import inlined


@inlined
def log_steps(amount: int) -> int:
    """Logarithm of amount + 1 in steps of 1/256 of a doubling, linear between powers of two: exact on every machine.

    Mitchell, Computer multiplication and division using binary logarithms, IRE Trans. EC-11 (1962), equation 4.
    """
    mantissa, exponent = math.frexp(amount + 1.0)
    return (exponent - 1) * LOG_UNIT + int((2 * mantissa - 1) * LOG_UNIT)


@inlined
def _weigh_largest(card: Int64s, window: int, amount: int, sign: int) -> None:
    largest, count = LARGEST + window, LARGEST_COUNT + window
    if sign > 0 and (card[count] == 0 or amount > card[largest]):
        card[largest], card[count] = amount, 1
    elif amount == card[largest]:
        card[count] += sign


@inlined
def weigh(card: Int64s, window: int, amount_and_flags: int, position: int, sign: int) -> None:
    """Add an event to the sums of a window (+1), or take it away (-1; LARGEST is then to be seen to)."""
    amount = amount_and_flags >> FLAG_BITS
    if amount_and_flags & REFUND:
        card[REFUNDS + window] += sign
        if window == MONTH:
            card[REFUND_SUM] += sign * amount
        return
    card[SUM + window] += sign * amount
    if window == WEEK and amount_and_flags & NEW_HERE:
        card[NEW_MERCHANTS] += sign
    if window >= WEEK:
        _weigh_largest(card, window, amount, sign)
    if window != MONTH:
        return
    steps = log_steps(amount)
    card[LOG_SUM] += sign * steps
    card[LOG_SQUARES] += sign * steps * steps
    if position >> 32 != MISSING_E6:
        card[LATITUDE_SUM] += sign * (position >> 32)
        card[LONGITUDE_SUM] += sign * (((position & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000)
        card[LOCATED] += sign


@inlined
def advance(card: Int64s, arena: Int64s, time: int) -> None:
    """Move the window starts up to a newest event at `time`."""
    for window in range(WINDOWS):
        start = card[START + window]
        while start < card[TAIL]:
            entry = entry_of(card, start)
            if arena[entry, TIME] > time - WINDOWS_NS[window]:
                break
            weigh(card, window, arena[entry, AMOUNT], arena[entry, POSITION], -1)
            start += 1
        card[START + window] = start
        if window >= WEEK and card[LARGEST_COUNT + window] == 0:
            _find_largest(card, arena, window)


@inlined
def _find_largest(card: Int64s, arena: Int64s, window: int) -> None:
    """The largest purchase of a window, looked for once the one before it has left: rare, as it was large."""
    card[LARGEST + window] = 0
    for number in range(card[START + window], card[TAIL]):
        amount_and_flags = arena[entry_of(card, number), AMOUNT]
        if not amount_and_flags & REFUND:
            _weigh_largest(card, window, amount_and_flags >> FLAG_BITS, 1)


@inlined
def _see_sums(sums: Int64s, seen: Int64s) -> None:
    for window in range(WINDOWS):
        seen[OTHERS_SUM + window] = sums[SUM + window]
    seen[OTHERS_REFUNDED], seen[OTHERS_REFUND_SUM] = sums[REFUNDS + MONTH], sums[REFUND_SUM]
    seen[OTHERS_NEW] = sums[NEW_MERCHANTS]
    seen[OTHERS_LOG_SUM], seen[OTHERS_LOG_SQUARES] = sums[LOG_SUM], sums[LOG_SQUARES]
    seen[OTHERS_LARGEST_7D], seen[OTHERS_LARGEST] = sums[LARGEST + WEEK], sums[LARGEST + MONTH]
    seen[OTHERS_LATITUDES], seen[OTHERS_LONGITUDES] = sums[LATITUDE_SUM], sums[LONGITUDE_SUM]
    seen[OTHERS_LOCATED] = sums[LOCATED]


@inlined
def see_on_time(card: Int64s, seen: Int64s) -> None:
    """The windows of the card's newest event, without itself: the card holds their sums."""
    for window in range(WINDOWS):
        seen[OTHERS + window] = card[TAIL] - card[START + window] - card[REFUNDS + window]
    _see_sums(card, seen)


@inlined
def see_late(card: Int64s, arena: Int64s, sums: Int64s, seen: Int64s, after: int, time: int) -> None:
    """The windows of a late event, summed afresh in `sums` (a card's fields) over the events not later than it."""
    for field in range(CARD_FIELDS):
        sums[field] = 0
    for window in range(WINDOWS):
        start = first_after(card, arena, time - WINDOWS_NS[window])
        for number in range(start, after):
            entry = entry_of(card, number)
            weigh(sums, window, arena[entry, AMOUNT], arena[entry, POSITION], 1)
        seen[OTHERS + window] = after - start - sums[REFUNDS + window]
    _see_sums(sums, seen)


@inlined
def keep(card: Int64s, arena: Int64s, after: int, newest: int, event: Entry) -> None:
    """Put an event in its place (number `after`) and into the sums of the windows it lies in."""
    entry = insert(card, arena, after)
    arena[entry, 0], arena[entry, 1], arena[entry, 2], arena[entry, 3] = event
    for window in range(WINDOWS):
        if event[TIME] > newest - WINDOWS_NS[window]:
            weigh(card, window, event[AMOUNT], event[POSITION], 1)
        else:
            card[START + window] += 1
    card[FIRST_SEEN] = min(card[FIRST_SEEN], event[TIME])
