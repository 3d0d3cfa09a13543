"""A transfer as it arrives: what it says by itself, and into the histories of its accounts."""

import numpy as np

from models.features.batch import Int64s
from models.features.kernel.windows import log_steps
from models.graph.kernel.countries import meet
from models.graph.kernel.layout import (
    AFTER,
    CELL_AMOUNT,
    CELL_CHANNEL,
    CELL_CURRENCY,
    CELL_FROM,
    CELL_FROM_COUNTRY,
    CELL_HASH,
    CELL_RECEIVED,
    CELL_RECEIVED_CURRENCY,
    CELL_TIME,
    CELL_TO,
    CLOCK_FIELDS,
    COUNT_NEW_COUNTRY,
    FOREIGN,
    HEAD,
    IS_NEW,
    ITSELF,
    JUST,
    JUST_BELOW,
    JUST_BELOW_ONE,
    KNOWN,
    LATE,
    LATENESS_NS,
    LOOKED_AT,
    MARKET,
    MET_DAYS,
    MISSING,
    MONTH_NS,
    NEW_COUNTRY_DAYS,
    NEW_ONE,
    NEWEST,
    ON_TIME,
    OTHER_COUNTRY,
    OWN_COUNTRY,
    PARTS,
    PEER,
    REPEATED,
    RETENTION_NS,
    RISK,
    RISKY_CORRIDOR,
    RISKY_COUNTRY,
    ROUND_MINOR_MIN,
    ROUND_ONE,
    SENT,
    SHIFTED_MAX,
    SIZE_CLASS,
    SMALLEST_CLASS,
    STEPS,
    SUM_AMOUNT,
    SUM_CASH,
    SUM_COUNTS,
    SUM_FOREIGN,
    SUM_LOG,
    SUM_LOG_SQUARES,
    SUM_NEW_COUNTRY,
    SUM_RISKY,
    SUM_VIRTUAL,
    TAIL,
    TIME,
    TOO_LATE,
    GraphStore,
    MarketArrays,
)
from models.graph.kernel.ring import (
    entry_of,
    forget,
    forget_silent,
    insert,
    link_last,
    move_on,
    reserve,
    unlink,
    up_to,
    was_seen,
)
from streams.kernels.compiled import compiled, inlined
from streams.labels import NS_PER_DAY
from streams.transfer import TRANSFER_CHANNELS

CASH_IN, CASH_OUT = TRANSFER_CHANNELS.index("cash_in"), TRANSFER_CHANNELS.index("cash_out")
VIRTUAL = TRANSFER_CHANNELS.index("virtual_asset")


@inlined
def is_round(amount_minor: int) -> bool:
    """Whether an amount is of 100 whole units or more and has no more than two digits that are not trailing zeros."""
    if amount_minor < ROUND_MINOR_MIN:
        return False
    while amount_minor % 10 == 0:
        amount_minor //= 10
    return amount_minor < 100


@inlined
def _place(account: int, country: int, profiles: Int64s) -> int:
    if country >= 0:
        return country
    return profiles[account, MARKET] if account >= 0 and profiles[account, KNOWN] else MISSING


@compiled
def see_transfer(cells: Int64s, row: int, profiles: Int64s, markets: MarketArrays, notes: Int64s) -> None:
    """What a transfer says by itself, from either side: amounts in US cents, countries, threshold."""
    rates, others = markets.minor_per_usd, len(markets.threshold) - 1
    sent = cells[row, CELL_AMOUNT]
    notes[SENT] = notes[SENT + 1] = np.int64(np.rint(sent * 100.0 / rates[cells[row, CELL_CURRENCY]]))
    if cells[row, CELL_RECEIVED] >= 0:
        rate = rates[cells[row, CELL_RECEIVED_CURRENCY]]
        notes[SENT + 1] = np.int64(np.rint(cells[row, CELL_RECEIVED] * 100.0 / rate))
    first = _place(cells[row, CELL_FROM], cells[row, CELL_FROM_COUNTRY], profiles)
    second = _place(cells[row, CELL_TO], cells[row, CELL_FROM_COUNTRY + 1], profiles)
    notes[FOREIGN] = MISSING if first < 0 or second < 0 else int(first != second)
    for side in range(2):
        account, own, other = cells[row, CELL_FROM + side], first, second
        if side == 1:
            own, other = second, first
        if account >= 0 and profiles[account, KNOWN]:
            own = profiles[account, MARKET]
        own = others if own < 0 else min(own, others)
        notes[OWN_COUNTRY + side] = own
        notes[RISK + side] = notes[RISKY_COUNTRY + side] = notes[OTHER_COUNTRY + side] = MISSING
        if other >= 0:
            notes[OTHER_COUNTRY + side] = other = min(other, others)
            notes[RISK + side] = markets.corridor_risk[own, other]
            notes[RISKY_COUNTRY + side] = markets.is_high_risk[other]
        threshold = markets.threshold[own]
        notes[JUST + side] = int(JUST_BELOW * threshold <= notes[SENT + side] < threshold)


@inlined
def _weigh(cells: Int64s, row: int, side: int, notes: Int64s) -> None:
    """What the transfer adds to the sums of its account's history."""
    amount, channel = notes[SENT + side], cells[row, CELL_CHANNEL]
    risky = notes[RISK + side] >= RISKY_CORRIDOR or notes[RISKY_COUNTRY + side] == 1
    notes[PARTS + SUM_AMOUNT] = amount
    notes[PARTS + SUM_CASH] = amount if channel in (CASH_IN, CASH_OUT) else 0
    notes[PARTS + SUM_FOREIGN] = amount if notes[FOREIGN] == 1 else 0
    notes[PARTS + SUM_RISKY] = amount if risky else 0
    notes[PARTS + SUM_VIRTUAL] = amount if channel == VIRTUAL else 0
    counts = JUST_BELOW_ONE * notes[JUST + side]
    if is_round(cells[row, CELL_AMOUNT]):
        counts += ROUND_ONE
    if notes[IS_NEW + side] == 1:
        counts += NEW_ONE
    notes[PARTS + SUM_COUNTS] = counts
    steps = log_steps(amount)
    notes[PARTS + SUM_LOG], notes[PARTS + SUM_LOG_SQUARES] = steps, steps * steps
    new_country = 0 <= notes[MET_DAYS + side] < NEW_COUNTRY_DAYS
    notes[PARTS + SUM_NEW_COUNTRY], notes[PARTS + COUNT_NEW_COUNTRY] = amount if new_country else 0, int(new_country)


@inlined
def _is_new(rings: Int64s, ring: int, arena: Int64s, peer: int, after: int, since: int, notes: Int64s) -> int:
    """Whether a counterparty is none of the history's last ones later than `since`."""
    if peer < 0:
        return MISSING
    number = after - 1
    while number >= rings[ring, HEAD] and number >= after - LOOKED_AT:
        notes[STEPS] += 1
        entry = entry_of(rings, ring, number)
        if arena[entry, TIME] <= since:
            break
        if arena[entry, PEER] == peer:
            return 0
        number -= 1
    return 1


@inlined
def room_for(cells: Int64s, row: int, store: GraphStore) -> bool:
    """Whether the arena has room for whatever this transfer may need."""
    needed = store.pool[0]
    for side in range(2):
        account = cells[row, CELL_FROM + side]
        if account >= 0:
            needed += 1 << max(store.rings[2 * account + side, SIZE_CLASS] + 1, SMALLEST_CLASS)
    return needed <= len(store.arena)  # type: ignore[no-any-return]


@inlined
def _peer(cells: Int64s, row: int, side: int) -> int:
    """The counterparty of a side; ITSELF where an account pays itself, which links nothing."""
    account, peer = cells[row, CELL_FROM + side], cells[row, CELL_TO - side]
    return ITSELF if peer == account else peer


@inlined
def _shorter_side(cells: Int64s, row: int, rings: Int64s) -> int:
    """The side whose history is shorter: an employer pays thousands at once, each of them is paid by few."""
    sender, receiver = cells[row, CELL_FROM], cells[row, CELL_TO]
    if sender < 0 or receiver < 0:
        return 0 if receiver < 0 else 1
    sent = rings[2 * sender, TAIL] - rings[2 * sender, HEAD]
    return 0 if sent <= rings[2 * receiver + 1, TAIL] - rings[2 * receiver + 1, HEAD] else 1


@compiled
def arrive(cells: Int64s, row: int, store: GraphStore, notes: Int64s) -> tuple[int, bool]:
    """Take a transfer into the histories of its accounts: its status, and whether it stands there now."""
    rings, arena, sums, pool, clock = store.rings, store.arena, store.sums, store.pool, store.clock
    copied = store.copied
    time, event_hash, behind = cells[row, CELL_TIME], cells[row, CELL_HASH], clock[NEWEST] - cells[row, CELL_TIME]
    kept = known = behind < RETENTION_NS
    for side in range(2):
        account = cells[row, CELL_FROM + side]
        if account >= 0:
            ring = 2 * account + side
            notes[AFTER + side] = up_to(rings, ring, arena, time, notes)
            kept = kept and rings[ring, TAIL] - notes[AFTER + side] <= SHIFTED_MAX
    shorter = _shorter_side(cells, row, rings)
    account = cells[row, CELL_FROM + shorter]
    event = (time, notes[SENT + shorter], event_hash, _peer(cells, row, shorter))
    if account >= 0 and known and was_seen(rings, 2 * account + shorter, arena, notes[AFTER + shorter], event, notes):
        return REPEATED, False
    clock[NEWEST] = max(clock[NEWEST], time)
    horizon = clock[NEWEST] - RETENTION_NS
    for side in range(2):
        account, peer = cells[row, CELL_FROM + side], _peer(cells, row, side)
        if account < 0:
            continue
        ring = 2 * account + side
        since = max(time - MONTH_NS, horizon)
        notes[IS_NEW + side] = _is_new(rings, ring, arena, peer, notes[AFTER + side], since, notes)
        notes[MET_DAYS + side] = MISSING
        if notes[FOREIGN] == 1:
            notes[MET_DAYS + side] = meet(store.met, ring, notes[OTHER_COUNTRY + side], time // NS_PER_DAY)
        forget(rings, 2 * account, arena, copied, pool, clock, horizon, notes)
        forget(rings, 2 * account + 1, arena, copied, pool, clock, horizon, notes)
        if kept:
            _weigh(cells, row, side, notes)
            if rings[ring, SIZE_CLASS] > 0:
                unlink(rings, ring, clock)
            reserve(rings, ring, arena, pool)
            entry = (time, notes[SENT + side], event_hash, peer)
            insert(rings, ring, arena, sums, copied, notes[AFTER + side], entry, notes)
            move_on(rings, ring, arena, sums, copied, pool, notes)
            link_last(rings, ring, clock)
    forget_silent(rings, arena, copied, pool, clock, horizon, notes)
    if behind <= 0:
        return ON_TIME, kept
    return (LATE if behind <= LATENESS_NS and kept else TOO_LATE), kept


def fresh_clock() -> Int64s:
    """The clock of a state that has seen nothing."""
    clock = np.zeros(CLOCK_FIELDS, np.int64)
    clock[NEWEST] = -(2**62)
    return clock
