"""One event after the other: into its card's history, and out as a feature row."""

import numpy as np

from models.features.batch import Columns, Float32s, Int32s, Int64s, UInt8s
from models.features.kernel.columns import write_event, write_habits, write_place, write_places, write_windows
from models.features.kernel.layout import (
    AMOUNT,
    CARD_FIELDS,
    FIRST,
    FIRST_SEEN,
    FLAG_BITS,
    HAS_LAST,
    HASH,
    IS_REFUND_AT,
    LAST_POSITION,
    LAST_TIME,
    LATE,
    LATENESS_NS,
    NEW_HERE,
    NEW_MERCHANT,
    NO_DAY,
    NO_ROOM,
    ON_TIME,
    POSITION,
    REFUND,
    REPEATED,
    RETENTION_NS,
    SEEN_FIELDS,
    TAIL,
    TIME,
    TOO_LATE,
    CardStore,
    Codes,
    Entry,
    PlaceTables,
    UInt32s,
)
from models.features.kernel.recent import meet_all, see_recent
from models.features.kernel.ring import entry_of, first_after, forget, purchase_before, reserve, was_seen
from models.features.kernel.windows import advance, keep, see_late, see_on_time
from streams.kernels.compiled import compiled, inlined
from streams.labels import NS_PER_DAY, NS_PER_S

HABIT_COLUMNS = 13


@inlined
def _see_last(card: Int64s, arena: Int64s, after: int, seen: Int64s) -> None:
    last = purchase_before(card, arena, after)
    seen[HAS_LAST] = last >= 0
    if last >= 0:
        seen[LAST_TIME], seen[LAST_POSITION] = arena[last, TIME], arena[last, POSITION]


@inlined
def _arrive(
    card: Int64s,
    recent: Int32s,
    met: UInt32s,
    arena: Int64s,
    pool: Int64s,
    event: Entry,
    codes: Codes,
    sums: Int64s,
    seen: Int64s,
) -> int:
    """Take one event into its card's history; what it sees there goes to `seen`. Its status, or NO_ROOM (no change).

    Arrays are handed down one by one: a tuple of arrays costs two atomic operations an array and call.
    """
    time = event[TIME]
    if card[TAIL] == 0:
        card[FIRST_SEEN] = time
    newest = arena[entry_of(card, card[TAIL] - 1), TIME] if card[TAIL] > 0 else time
    after = card[TAIL] if time >= newest else first_after(card, arena, time)
    if was_seen(card, arena, after, time, event[HASH]):
        return REPEATED
    kept = newest - time < RETENTION_NS
    if time >= newest:
        newest = time
        advance(card, arena, time)
        forget(card, arena, time)
    if kept and not reserve(card, arena, pool):
        return NO_ROOM
    _see_last(card, arena, after, seen)
    if time == newest:
        see_on_time(card, seen)
    else:
        see_late(card, arena, sums, seen, after, time)
    seen[FIRST] = min(card[FIRST_SEEN], time)
    spends = not event[AMOUNT] & REFUND
    see_recent(card, recent, met, codes, time // NS_PER_S, spends, seen)
    if kept:
        flags = NEW_HERE if spends and seen[NEW_MERCHANT] > 0 else 0
        keep(card, arena, after, newest, (time, event[AMOUNT] | flags, event[HASH], event[POSITION]))
        if spends:
            meet_all(card, recent, met, codes, time // NS_PER_S, seen)
    if time == newest:
        return ON_TIME
    return LATE if newest - time <= LATENESS_NS else TOO_LATE


@inlined
def table_for(days: Int64s, wanted: int) -> int:
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
def compute_rows(
    first: int, columns: Columns, store: CardStore, tables: PlaceTables, values: Float32s, status: UInt8s, stale: Int64s
) -> int:
    """Feature rows of the batch from row `first` on, written to `values` [n, F] and `status` [n].

    Returns the row it stopped at: n, or the row for which the arena has no room (grow it and go on from there).
    `stale` [1] counts rows whose day table was not held.
    """
    seen, sums = np.zeros(SEEN_FIELDS, np.int64), np.zeros(CARD_FIELDS, np.int64)
    times, amounts, refunds, hashes = columns.time_ns, columns.amount_minor, columns.is_refund, columns.event_hash
    card_codes, terminal_codes = columns.card, columns.terminal
    merchant_codes, device_codes, country_codes = columns.merchant, columns.device, columns.country
    categories, channels = columns.category, columns.channel
    latitudes_e6, longitudes_e6 = columns.latitude_e6, columns.longitude_e6
    cards, recent, met, arena, pool = store.cards, store.recent, store.met, store.arena, store.pool
    days, terminals, merchants, devices = tables.days, tables.terminal, tables.merchant, tables.device
    no_terminal, no_merchant, no_device = tables.no_terminal, tables.no_merchant, tables.no_device
    terminals_at = IS_REFUND_AT + HABIT_COLUMNS
    merchants_at = terminals_at + len(no_terminal)
    devices_at = merchants_at + len(no_merchant)
    for row in range(first, len(times)):
        out = values[row]
        time, amount, refund = times[row], amounts[row], int(refunds[row])
        latitude_e6, longitude_e6 = latitudes_e6[row], longitudes_e6[row]
        event = (
            time,
            (amount << FLAG_BITS) | refund,
            hashes[row],
            (np.int64(latitude_e6) << 32) | (np.int64(longitude_e6) & 0xFFFFFFFF),
        )
        codes = (merchant_codes[row], device_codes[row], country_codes[row])
        card = card_codes[row]
        arrived = _arrive(cards[card], recent[card], met[card], arena, pool, event, codes, sums, seen)
        if arrived == NO_ROOM:
            return row
        status[row] = arrived
        if arrived == REPEATED:
            out[:] = np.nan
            continue
        write_event(time, amount, categories[row], channels[row], out)
        write_places(time, latitude_e6, longitude_e6, seen, out)
        write_windows(time, amount, 1 - refund, seen, out)
        write_habits(amount, 1 - refund, seen, out)
        wanted = time // NS_PER_DAY - 1
        table = table_for(days, wanted)
        if table < 0 or days[table] != wanted:
            stale[0] += 1
        write_place(out, terminals_at, terminals, no_terminal, table, terminal_codes[row])
        write_place(out, merchants_at, merchants, no_merchant, table, merchant_codes[row])
        write_place(out, devices_at, devices, no_device, table, device_codes[row])
    return len(times)
