"""The feature kernel: one card's history in, one feature row out, event by event in arrival order.

A card's kept events stand in a ring in event-time order (ties in arrival order). For its newest event the card holds
the start of each window and integer sums over it, so an event in order costs the same however long the history is; a
late one is put in its place and its own windows are summed afresh. Every sum is an integer: nothing drifts, and any
split of the stream into batches gives the same bits.

All kernels stand in this one module because numba's disk cache does not see changes in other modules; for the same
reason the column numbers are written out here (the oracle, which goes by the catalogue's names, holds them to it).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from models.features.batch import MISSING_E6, Columns, Float32s, Int32s, Int64s, UInt8s
from models.features.compiled import compiled
from streams.labels import NS_PER_DAY, NS_PER_HOUR, NS_PER_S

WINDOWS_NS = (NS_PER_HOUR, NS_PER_DAY, 7 * NS_PER_DAY, 30 * NS_PER_DAY)
LATENESS_NS = NS_PER_DAY
"""A late event up to this far behind its card's newest is exact."""
RETENTION_NS = 30 * NS_PER_DAY + LATENESS_NS
"""How far behind its card's newest an event is kept."""
AGE_DAYS_MAX = 30.0  # beyond it a card is not new; without it the age would be the calendar, and always drift
EARTH_RADIUS_KM = 6_371.0088  # mean radius R1 of the IUGG
NO_DAY = -(2**62)
"""The day of an empty table."""

# An event in the arena: four int64. The position is latitude (high half) and longitude (low half) in micro-degrees.
TIME, AMOUNT, HASH, POSITION = 0, 1, 2, 3
ENTRY_FIELDS = 4

# A card: HEAD, TAIL and the window starts are running event numbers; number k stands at k modulo the block's size.
BLOCK, SIZE_CLASS, HEAD, TAIL, START, SUM = 0, 1, 2, 3, 4, 8
LATITUDE_SUM, LONGITUDE_SUM, LOCATED, FIRST_SEEN = 12, 13, 14, 15
MERCHANTS, DEVICES, COUNTRIES = 16, 17, 18
CARD_FIELDS = 20
SMALLEST_CLASS = 2
"""A block of class k holds 2**k events; class 0 is no block."""
LARGEST_CLASS = 40

# Most recently used codes of a card, newest first.
MERCHANTS_KEPT, DEVICES_KEPT, COUNTRIES_KEPT, RECENT_FIELDS = 32, 8, 8, 48
MERCHANTS_AT, DEVICES_AT, COUNTRIES_AT = 0, 32, 40

# What the card's history says about one event, before it becomes floats.
IN_WINDOW, SUM_IN, HAS_LAST, LAST_TIME, LAST_POSITION = 0, 4, 8, 9, 10
OTHER_LATITUDES, OTHER_LONGITUDES, OTHERS_LOCATED, FIRST = 11, 12, 13, 14
NEW_MERCHANT, NEW_DEVICE, NEW_COUNTRY = 15, 16, 17
SEEN_FIELDS = 18

ON_TIME, LATE, TOO_LATE, REPEATED = 0, 1, 2, 3
NO_ROOM = 255

RISK_COLUMNS, TERMINAL_AT, MERCHANT_AT = 6, 27, 33


Entry = tuple[Any, Any, Any, Any]
"""Time, amount, hash and position of one event, as it stands in the arena."""
Codes = tuple[Any, Any, Any]
"""Merchant, device and country of one event."""


class CardStore(NamedTuple):
    """All cards: `cards` [cards, 20], `recent` [cards, 48], `arena` [events, 4], `pool` [41]: 0 is the first entry
    never given out, k the first free block of class k (or -1; a free block's first word names the next)."""

    cards: Int64s
    recent: Int32s
    arena: Int64s
    pool: Int64s


class RiskTables(NamedTuple):
    """Day tables held: `days` [tables] (NO_DAY: empty), place values float32 [tables, places, 6] by code."""

    days: Int64s
    terminals: Float32s
    merchants: Float32s


@compiled
def _at(card: Int64s, number: int) -> int:
    return card[BLOCK] + (number & ((1 << card[SIZE_CLASS]) - 1))  # type: ignore[no-any-return]


@compiled
def _first_after(card: Int64s, arena: Int64s, time: int) -> int:
    """The number of the card's first event later than `time` (TAIL when there is none)."""
    low, high = card[HEAD], card[TAIL]
    while low < high:
        middle = (low + high) >> 1
        if arena[_at(card, middle), TIME] > time:
            high = middle
        else:
            low = middle + 1
    return low  # type: ignore[no-any-return]


@compiled
def _was_seen(card: Int64s, arena: Int64s, after: int, time: int, event_hash: int) -> bool:
    number = after - 1
    while number >= card[HEAD]:
        entry = _at(card, number)
        if arena[entry, TIME] != time:
            return False
        if arena[entry, HASH] == event_hash:
            return True
        number -= 1
    return False


@compiled
def _locate(card: Int64s, position: int, sign: int) -> None:
    """Add (+1) or take away (-1) a position in the card's 30-day sums."""
    if position >> 32 != MISSING_E6:
        card[LATITUDE_SUM] += sign * (position >> 32)
        card[LONGITUDE_SUM] += sign * (((position & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000)
        card[LOCATED] += sign


@compiled
def _advance(card: Int64s, arena: Int64s, time: int) -> None:
    """Move the window starts up to a newest event at `time`, then forget what is older than the retention.

    The latest event behind the retention stays: it may be the one before the next event.
    """
    for window in range(4):
        start = card[START + window]
        while start < card[TAIL]:
            entry = _at(card, start)
            if arena[entry, TIME] > time - WINDOWS_NS[window]:
                break
            card[SUM + window] -= arena[entry, AMOUNT]
            if window == 3:
                _locate(card, arena[entry, POSITION], -1)
            start += 1
        card[START + window] = start
    while card[TAIL] - card[HEAD] > 1 and arena[_at(card, card[HEAD] + 1), TIME] <= time - RETENTION_NS:
        card[HEAD] += 1


@compiled
def _reserve(card: Int64s, arena: Int64s, pool: Int64s) -> bool:
    """Make room for one more event of the card; False when the arena has none."""
    size_class = card[SIZE_CLASS]
    if size_class > 0 and card[TAIL] - card[HEAD] < 1 << size_class:
        return True
    wanted = max(size_class + 1, SMALLEST_CLASS)
    block = pool[wanted]
    if block >= 0:
        pool[wanted] = arena[block, 0]
    else:
        block = pool[0]
        if block + (1 << wanted) > len(arena):
            return False
        pool[0] = block + (1 << wanted)
    for number in range(card[HEAD], card[TAIL]):
        old = _at(card, number)
        new = block + (number & ((1 << wanted) - 1))
        for field in range(ENTRY_FIELDS):
            arena[new, field] = arena[old, field]
    if size_class > 0:
        arena[card[BLOCK], 0] = pool[size_class]
        pool[size_class] = card[BLOCK]
    card[BLOCK], card[SIZE_CLASS] = block, wanted
    return True


@compiled
def _see_on_time(card: Int64s, seen: Int64s, amount: int) -> None:
    for window in range(4):
        seen[IN_WINDOW + window] = card[TAIL] - card[START + window] + 1
        seen[SUM_IN + window] = card[SUM + window] + amount
    seen[OTHER_LATITUDES] = card[LATITUDE_SUM]
    seen[OTHER_LONGITUDES] = card[LONGITUDE_SUM]
    seen[OTHERS_LOCATED] = card[LOCATED]


@compiled
def _see_late(card: Int64s, arena: Int64s, seen: Int64s, after: int, time: int, amount: int) -> None:
    """The windows of a late event, summed afresh over the events not later than it."""
    for field in range(OTHER_LATITUDES, OTHERS_LOCATED + 1):
        seen[field] = 0
    for window in range(4):
        start = _first_after(card, arena, time - WINDOWS_NS[window])
        total = amount
        for number in range(start, after):
            entry = _at(card, number)
            total += arena[entry, AMOUNT]
            position = arena[entry, POSITION]
            if window == 3 and position >> 32 != MISSING_E6:
                seen[OTHER_LATITUDES] += position >> 32
                seen[OTHER_LONGITUDES] += ((position & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
                seen[OTHERS_LOCATED] += 1
        seen[IN_WINDOW + window] = after - start + 1
        seen[SUM_IN + window] = total


@compiled
def _keep(card: Int64s, arena: Int64s, after: int, newest: int, event: Entry) -> None:
    """Put an event in its place (number `after`) and into the sums of the windows it lies in."""
    for number in range(card[TAIL], after, -1):
        new, old = _at(card, number), _at(card, number - 1)
        for field in range(ENTRY_FIELDS):
            arena[new, field] = arena[old, field]
    entry = _at(card, after)
    for field in range(ENTRY_FIELDS):
        arena[entry, field] = event[field]
    card[TAIL] += 1
    for window in range(4):
        if event[TIME] > newest - WINDOWS_NS[window]:
            card[SUM + window] += event[AMOUNT]
        else:
            card[START + window] += 1
    if event[TIME] > newest - WINDOWS_NS[3]:
        _locate(card, event[POSITION], 1)
    card[FIRST_SEEN] = min(card[FIRST_SEEN], event[TIME])


@compiled
def _arrive(card: Int64s, recent: Int32s, arena: Int64s, pool: Int64s, event: Entry, codes: Codes, seen: Int64s) -> int:
    """Take one event into its card's history; what it sees there goes to `seen`. Its status, or NO_ROOM (no change)."""
    time, amount = event[TIME], event[AMOUNT]
    if card[TAIL] == 0:
        card[FIRST_SEEN] = time
    newest = arena[_at(card, card[TAIL] - 1), TIME] if card[TAIL] > 0 else time
    after = card[TAIL] if time >= newest else _first_after(card, arena, time)
    if _was_seen(card, arena, after, time, event[HASH]):
        return REPEATED
    kept = newest - time < RETENTION_NS
    if time >= newest:
        newest = time
        _advance(card, arena, time)
    if kept and not _reserve(card, arena, pool):
        return NO_ROOM
    seen[HAS_LAST] = after > card[HEAD]
    if seen[HAS_LAST]:
        last = _at(card, after - 1)
        seen[LAST_TIME], seen[LAST_POSITION] = arena[last, TIME], arena[last, POSITION]
    if time == newest:
        _see_on_time(card, seen, amount)
    else:
        _see_late(card, arena, seen, after, time, amount)
    seen[FIRST] = min(card[FIRST_SEEN], time)
    if kept:
        _keep(card, arena, after, newest, event)
    seen[NEW_MERCHANT] = _meet(card, MERCHANTS, recent, MERCHANTS_AT, MERCHANTS_KEPT, codes[0], kept)
    seen[NEW_DEVICE] = _meet(card, DEVICES, recent, DEVICES_AT, DEVICES_KEPT, codes[1], kept)
    seen[NEW_COUNTRY] = _meet(card, COUNTRIES, recent, COUNTRIES_AT, COUNTRIES_KEPT, codes[2], kept)
    if time == newest:
        return ON_TIME
    return LATE if newest - time <= LATENESS_NS else TOO_LATE


@compiled
def _meet(card: Int64s, count: int, recent: Int32s, base: int, size: int, code: int, kept: bool) -> int:
    """1 when the code is not among the card's last ones, 0 when it is, -1 for null; it becomes the most recent."""
    if code < 0:
        return -1
    held = card[count]
    place = 0
    while place < held and recent[base + place] != code:
        place += 1
    is_new = place == held
    if kept:
        if is_new:
            place = min(held, size - 1)
            card[count] = place + 1
        for moved in range(place, 0, -1):
            recent[base + moved] = recent[base + moved - 1]
        recent[base] = code
    return 1 if is_new else 0


@compiled
def _distance_km(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Great-circle distance of two points in degrees (haversine formula)."""
    phi_1, phi_2 = math.radians(latitude_1), math.radians(latitude_2)
    half_phi = math.sin((phi_2 - phi_1) / 2)
    half_lambda = math.sin(math.radians(longitude_2 - longitude_1) / 2)
    chord = half_phi * half_phi + math.cos(phi_1) * math.cos(phi_2) * half_lambda * half_lambda
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


@compiled
def _write_event(time: int, amount: int, category: float, channel: float, out: Float32s) -> None:
    time_of_day = time % NS_PER_DAY
    out[0] = amount / 100
    out[1] = category
    out[2] = channel
    out[3] = time_of_day / NS_PER_HOUR
    out[4] = 1 if time_of_day >= 22 * NS_PER_HOUR or time_of_day < 6 * NS_PER_HOUR else 0
    out[5] = 1 if (time // NS_PER_DAY + 3) % 7 >= 5 else 0  # day 0 was a Thursday


@compiled
def _write_places(time: int, latitude_e6: int, longitude_e6: int, seen: Int64s, out: Float32s) -> None:
    out[6], out[7], out[8], out[26] = np.nan, np.nan, np.nan, np.nan
    latitude, longitude = latitude_e6 / 1e6, longitude_e6 / 1e6
    located = latitude_e6 != MISSING_E6
    if seen[HAS_LAST]:
        elapsed_s = (time - seen[LAST_TIME]) / NS_PER_S
        out[6] = elapsed_s
        position = seen[LAST_POSITION]
        if located and position >> 32 != MISSING_E6:
            last_longitude = (((position & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000) / 1e6
            distance_km = _distance_km((position >> 32) / 1e6, last_longitude, latitude, longitude)
            out[7] = distance_km
            out[8] = distance_km / max(elapsed_s, 1.0) * 3_600  # at least a second, so that ties stay finite
    if located and seen[OTHERS_LOCATED] > 0:
        centre_latitude = seen[OTHER_LATITUDES] / seen[OTHERS_LOCATED] / 1e6
        centre_longitude = seen[OTHER_LONGITUDES] / seen[OTHERS_LOCATED] / 1e6
        out[26] = _distance_km(centre_latitude, centre_longitude, latitude, longitude)


@compiled
def _write_card(time: int, amount: int, seen: Int64s, out: Float32s) -> None:
    for window in range(4):
        out[9 + window] = seen[IN_WINDOW + window]
        out[13 + window] = seen[SUM_IN + window] / 100
        out[17 + window] = seen[SUM_IN + window] / 100 / seen[IN_WINDOW + window]
    others, others_sum = seen[IN_WINDOW + 3] - 1, seen[SUM_IN + 3] - amount
    out[21] = amount / (others_sum / others) if others_sum > 0 else np.nan
    for flag in range(3):
        out[22 + flag] = seen[NEW_MERCHANT + flag] if seen[NEW_MERCHANT + flag] >= 0 else np.nan
    out[25] = min((time - seen[FIRST]) / NS_PER_DAY, AGE_DAYS_MAX)


@compiled
def _table_for(days: Int64s, wanted: int) -> int:
    """The table of the wanted day; else the latest held before it; else the oldest held; -1 when none is held."""
    best, oldest = -1, -1
    for table in range(len(days)):
        if days[table] == NO_DAY:
            continue
        if days[table] <= wanted and (best < 0 or days[table] > days[best]):
            best = table
        if oldest < 0 or days[table] < days[oldest]:
            oldest = table
    return best if best >= 0 else oldest


@compiled
def _write_risk(out: Float32s, base: int, tables: Float32s, table: int, code: int) -> None:
    for column in range(RISK_COLUMNS):
        if table < 0 or code < 0:
            out[base + column] = np.nan
        elif code >= tables.shape[1]:
            out[base + column] = 0 if column < 3 else np.nan
        else:
            out[base + column] = tables[table, code, column]


@compiled
def compute_rows(
    first: int, columns: Columns, store: CardStore, tables: RiskTables, values: Float32s, status: UInt8s, stale: Int64s
) -> int:
    """Feature rows of the batch from row `first` on, written to `values` [n, 39] and `status` [n].

    Returns the row it stopped at: n, or the row for which the arena has no room (grow it and go on from there).
    `stale` [1] counts rows whose day table was not held.
    """
    seen = np.zeros(SEEN_FIELDS, np.int64)
    for row in range(first, len(columns.time_ns)):
        out = values[row]
        card = columns.card[row]
        time, amount = columns.time_ns[row], columns.amount_minor[row]
        latitude_e6, longitude_e6 = columns.latitude_e6[row], columns.longitude_e6[row]
        event = (
            time,
            amount,
            columns.event_hash[row],
            (np.int64(latitude_e6) << 32) | (np.int64(longitude_e6) & 0xFFFFFFFF),
        )
        codes = (columns.merchant[row], columns.device[row], columns.country[row])
        arrived = _arrive(store.cards[card], store.recent[card], store.arena, store.pool, event, codes, seen)
        if arrived == NO_ROOM:
            return row
        status[row] = arrived
        if arrived == REPEATED:
            out[:] = np.nan
            continue
        _write_event(time, amount, columns.category[row], columns.channel[row], out)
        _write_places(time, latitude_e6, longitude_e6, seen, out)
        _write_card(time, amount, seen, out)
        wanted = time // NS_PER_DAY - 1
        table = _table_for(tables.days, wanted)
        if table < 0 or tables.days[table] != wanted:
            stale[0] += 1
        _write_risk(out, TERMINAL_AT, tables.terminals, table, columns.terminal[row])
        _write_risk(out, MERCHANT_AT, tables.merchants, table, columns.merchant[row])
    return len(columns.time_ns)
