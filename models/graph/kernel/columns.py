"""From what is noted of a transfer and an account to the row in floats. The oracle, which goes by the catalogue's
names, holds the column numbers to it."""

import math

import numpy as np

from models.features.batch import Float32s, Int64s
from models.features.kernel.layout import LOG_UNIT, SPREAD_MIN
from models.features.kernel.windows import log_steps
from models.graph.kernel.account import counted, start_at, summed, transfers
from models.graph.kernel.arrival import CASH_IN, CASH_OUT, VIRTUAL, is_round
from models.graph.kernel.cycles import likeness
from models.graph.kernel.layout import (
    AFTER,
    AGE_DAYS_MAX,
    AMOUNT,
    BOTH,
    CELL_AMOUNT,
    CELL_CHANNEL,
    CELL_RECEIVED,
    CELL_TIME,
    COUNT_NEW_COUNTRY,
    COUNTRIES_AT,
    CYCLE_LENGTH_MAX,
    CYCLES,
    DAY_WINDOW,
    DISTINCT,
    EXPECTED,
    EXPECTED_CASH,
    EXPECTED_USD_CENTS_MIN,
    EXPECTS_FOREIGN,
    FLOW_AT,
    FOREIGN,
    GATHERED,
    HISTORY_AT,
    IN,
    IS_BUSINESS,
    IS_NEW,
    IS_PEP,
    JUST,
    KNOWN,
    MATCHES,
    MET_DAYS,
    MET_DAYS_MAX,
    MONTH_WINDOW,
    NO_TIME,
    OPENED_NS,
    OTHERS_UP_TO,
    OUT,
    OWN_COUNTRY,
    PATTERNS_AT,
    PEERS_AT,
    PROFILE_AT,
    RISK,
    RISK_RATING,
    RISKY_COUNTRY,
    SENT,
    SPREAD_TRANSFERS_MIN,
    STEPS,
    SUM_AMOUNT,
    SUM_CASH,
    SUM_FOREIGN,
    SUM_LOG,
    SUM_LOG_SQUARES,
    SUM_NEW_COUNTRY,
    SUM_RISKY,
    SUM_VIRTUAL,
    TIME,
    TRANSFER_AT,
    WEEK_WINDOW,
    WINDOWS,
    WINDOWS_AT,
    GraphStore,
    MarketArrays,
)
from models.graph.kernel.ring import entry_of, time_before
from streams.kernels.compiled import compiled, inlined
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transfer import TRANSFER_CHANNELS

INSTANT = TRANSFER_CHANNELS.index("instant")
USD_CENTS = 100.0


@inlined
def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan


@inlined
def _known(value: int) -> float:
    return float(value) if value >= 0 else np.nan


@compiled
def write_transfer(cells: Int64s, row: int, side: int, notes: Int64s, markets: MarketArrays, out: Float32s) -> None:
    """What the transfer says by itself, seen from one of its sides."""
    at, amount, channel, market = TRANSFER_AT, notes[SENT + side], cells[row, CELL_CHANNEL], notes[OWN_COUNTRY + side]
    local = cells[row, CELL_TIME] + markets.utc_offset_ns[market]
    hour = (local % NS_PER_DAY) / NS_PER_HOUR
    out[at] = math.log10(1.0 + amount / USD_CENTS)
    out[at + 1] = amount / markets.threshold[market]
    out[at + 2] = notes[JUST + side]
    out[at + 3] = 1 if is_round(cells[row, CELL_AMOUNT]) else 0
    out[at + 4] = side
    out[at + 5] = 1 if channel in (CASH_IN, CASH_OUT) else 0
    out[at + 6] = 1 if channel == INSTANT else 0
    out[at + 7] = 1 if channel == VIRTUAL else 0
    out[at + 8] = channel
    out[at + 9] = _known(notes[FOREIGN])
    out[at + 10] = 1 if cells[row, CELL_RECEIVED] >= 0 else 0
    out[at + 11] = _known(notes[RISK + side])
    out[at + 12] = _known(notes[RISKY_COUNTRY + side])
    out[at + 13] = hour
    out[at + 14] = 1 if hour >= 22 or hour < 6 else 0
    out[at + 15] = (markets.weekend[market] >> (local // NS_PER_DAY + 3) % 7) & 1  # day 0 was a Thursday


@compiled
def write_windows(notes: Int64s, out: Float32s) -> None:
    """Counts and sums of the windows, out then in."""
    for direction in range(2):
        for window in range(WINDOWS):
            at = WINDOWS_AT + direction * 2 * WINDOWS + window
            out[at] = transfers(notes, direction, window)
            out[at + WINDOWS] = summed(notes, direction, window, SUM_AMOUNT) / USD_CENTS


@inlined
def _both(notes: Int64s, window: int, field: int) -> int:
    return summed(notes, OUT, window, field) + summed(notes, IN, window, field)


@inlined
def _count_both(notes: Int64s, window: int, which: int) -> int:
    return counted(notes, OUT, window, which) + counted(notes, IN, window, which)


@inlined
def _spread(count: int, logs: int, squares: int) -> float:
    """Standard deviation of amounts' logarithms, in steps; NaN under three."""
    if count < SPREAD_TRANSFERS_MIN:
        return np.nan
    mean = logs / count
    return math.sqrt(max(squares / count - mean * mean, 0.0))


@inlined
def _beside_own(notes: Int64s, side: int, out: Float32s) -> None:
    """The amount beside the others of its direction in a month."""
    own, amount, logs = notes[AFTER + side] - notes[OTHERS_UP_TO + side], notes[SENT + side], 0
    logs = log_steps(amount)
    others = transfers(notes, side, MONTH_WINDOW) - own
    total = summed(notes, side, MONTH_WINDOW, SUM_AMOUNT) - own * amount
    out[HISTORY_AT] = amount / (total / others) if total > 0 else np.nan
    out[HISTORY_AT + 1] = np.nan
    if others >= SPREAD_TRANSFERS_MIN:
        mine = summed(notes, side, MONTH_WINDOW, SUM_LOG) - own * logs
        squares = summed(notes, side, MONTH_WINDOW, SUM_LOG_SQUARES) - own * logs * logs
        out[HISTORY_AT + 1] = (logs - mine / others) / max(_spread(others, mine, squares), SPREAD_MIN)


@compiled
def write_history(store: GraphStore, account: int, side: int, time: int, notes: Int64s, out: Float32s) -> None:
    """The account beside itself: its amounts, its pace, its silences, what its money is made of."""
    rings, arena, at = store.rings, store.arena, HISTORY_AT
    _beside_own(notes, side, out)
    week, month = _both(notes, WEEK_WINDOW, SUM_AMOUNT), _both(notes, MONTH_WINDOW, SUM_AMOUNT)
    out[at + 2] = _over(week / 7, (month - week) / 23)
    last, before, begun = NO_TIME, NO_TIME, time
    for direction in range(2):
        ring, first = 2 * account + direction, notes[start_at(direction, WEEK_WINDOW)]
        last = max(last, time_before(rings, ring, arena, notes[OTHERS_UP_TO + direction], time))
        before = max(before, time_before(rings, ring, arena, first, time))
        if first < notes[AFTER + direction]:
            begun = min(begun, arena[entry_of(rings, ring, first), TIME])
    out[at + 3] = (time - last) / NS_PER_DAY if last > NO_TIME else np.nan
    out[at + 4] = (begun - before) / NS_PER_DAY if before > NO_TIME else np.nan
    out[at + 5] = _over(_both(notes, MONTH_WINDOW, SUM_CASH), month)
    out[at + 6] = summed(notes, IN, WEEK_WINDOW, SUM_CASH) / USD_CENTS
    out[at + 7] = summed(notes, OUT, WEEK_WINDOW, SUM_CASH) / USD_CENTS
    out[at + 8] = _count_both(notes, WEEK_WINDOW, 0)
    out[at + 9] = _count_both(notes, MONTH_WINDOW, 0)
    made = transfers(notes, OUT, WEEK_WINDOW) + transfers(notes, IN, WEEK_WINDOW)
    out[at + 10] = _over(_count_both(notes, WEEK_WINDOW, 1), made)
    out[at + 11] = _over(_both(notes, MONTH_WINDOW, SUM_FOREIGN), month)
    out[at + 12] = _both(notes, MONTH_WINDOW, SUM_RISKY) / USD_CENTS
    out[at + 13] = _both(notes, WEEK_WINDOW, SUM_VIRTUAL) / USD_CENTS
    for direction in range(2):
        logs, squares = summed(notes, direction, WEEK_WINDOW, SUM_LOG), 0
        squares = summed(notes, direction, WEEK_WINDOW, SUM_LOG_SQUARES)
        spread = _spread(transfers(notes, direction, WEEK_WINDOW), logs, squares)
        out[at + 14 + direction] = spread / LOG_UNIT


@compiled
def write_profile(profiles: Int64s, account: int, time: int, notes: Int64s, out: Float32s) -> None:
    """The account beside what due diligence knows and expects of it; NaN when it knows nothing."""
    at = PROFILE_AT
    if not profiles[account, KNOWN]:
        for column in range(at, PEERS_AT):
            out[column] = np.nan
        return
    expected = max(profiles[account, EXPECTED], EXPECTED_USD_CENTS_MIN)
    expected_cash = max(profiles[account, EXPECTED_CASH], EXPECTED_USD_CENTS_MIN)
    out[at] = _both(notes, MONTH_WINDOW, SUM_AMOUNT) / expected
    out[at + 1] = _both(notes, MONTH_WINDOW, SUM_CASH) / expected_cash
    out[at + 2] = np.nan
    if notes[FOREIGN] >= 0:
        out[at + 2] = 1 if notes[FOREIGN] and not profiles[account, EXPECTS_FOREIGN] else 0
    out[at + 3] = min(max(time - profiles[account, OPENED_NS], 0) / NS_PER_DAY, AGE_DAYS_MAX)
    out[at + 4] = profiles[account, RISK_RATING]
    out[at + 5] = profiles[account, IS_PEP]
    out[at + 6] = profiles[account, IS_BUSINESS]


@compiled
def write_countries(profiles: Int64s, account: int, side: int, notes: Int64s, out: Float32s) -> None:
    """The country abroad, and those that are new to the account: how long known, how often, how much."""
    at, met, new = COUNTRIES_AT, notes[MET_DAYS + side], _both(notes, MONTH_WINDOW, SUM_NEW_COUNTRY)
    out[at] = _known(min(met, MET_DAYS_MAX))
    out[at + 1] = _both(notes, MONTH_WINDOW, COUNT_NEW_COUNTRY)
    out[at + 2] = new / USD_CENTS
    out[at + 3] = np.nan
    if profiles[account, KNOWN]:
        out[at + 3] = new / max(profiles[account, EXPECTED], EXPECTED_USD_CENTS_MIN)


@compiled
def write_counterparties(notes: Int64s, side: int, out: Float32s) -> None:
    """Whom the account deals with: how many, how new, which way."""
    at = PEERS_AT
    for window in range(WINDOWS):
        out[at + window] = notes[DISTINCT + IN * WINDOWS + window]
        out[at + WINDOWS + window] = notes[DISTINCT + OUT * WINDOWS + window]
    out[at + 6] = _known(notes[IS_NEW + side])
    out[at + 7] = _over(counted(notes, OUT, WEEK_WINDOW, 2), transfers(notes, OUT, WEEK_WINDOW))
    out[at + 8] = _over(counted(notes, IN, WEEK_WINDOW, 2), transfers(notes, IN, WEEK_WINDOW))
    senders, receivers = notes[DISTINCT + IN * WINDOWS + WEEK_WINDOW], notes[DISTINCT + OUT * WINDOWS + WEEK_WINDOW]
    out[at + 9] = senders / (receivers + 1)
    out[at + 10] = receivers / (senders + 1)
    out[at + 11] = min(senders, notes[GATHERED])
    all_in, all_out = notes[DISTINCT + IN * WINDOWS + MONTH_WINDOW], notes[DISTINCT + OUT * WINDOWS + MONTH_WINDOW]
    out[at + 12] = _over(notes[BOTH], all_in + all_out - notes[BOTH])


@compiled
def write_flow(store: GraphStore, account: int, side: int, time: int, notes: Int64s, out: Float32s) -> None:
    """Money in beside money out: how much of it, how soon, how alike."""
    rings, arena, at, opposite = store.rings, store.arena, FLOW_AT, 1 - side
    for place, window in ((0, DAY_WINDOW), (1, WEEK_WINDOW)):
        paid, got = summed(notes, OUT, window, SUM_AMOUNT), summed(notes, IN, window, SUM_AMOUNT)
        out[at + place] = _over(min(paid, got), max(paid, got))
    ring, amount, end = 2 * account + opposite, notes[SENT + side], notes[OTHERS_UP_TO + opposite]
    own = notes[AFTER + opposite] - end
    last = time_before(rings, ring, arena, end, time)
    out[at + 2] = (time - last) / NS_PER_HOUR if last > NO_TIME else np.nan
    other_amount = summed(notes, opposite, DAY_WINDOW, SUM_AMOUNT) - own * notes[SENT + opposite]
    out[at + 3] = _over(amount, other_amount)
    best, when, first = -1.0, time, max(notes[start_at(opposite, WEEK_WINDOW)], end - MATCHES)
    for number in range(end - 1, first - 1, -1):
        entry = entry_of(rings, ring, number)
        alike = likeness(amount, arena[entry, AMOUNT])
        if alike > best:
            best, when = alike, arena[entry, TIME]
    notes[STEPS] += max(end - first, 0)
    out[at + 4] = best if best >= 0 else np.nan
    out[at + 5] = (time - when) / NS_PER_HOUR if best >= 0 else np.nan


@compiled
def write_patterns(
    notes: Int64s, cycle_ns: float, cycle_likeness: float, layers: tuple[int, int, int], hops: int, out: Float32s
) -> None:
    """The shapes that the transfer completes."""
    at = PATTERNS_AT
    for length in range(2, 6):
        out[at + length - 2] = notes[CYCLES + length]
    longer = 0
    for length in range(6, CYCLE_LENGTH_MAX + 1):
        longer += notes[CYCLES + length]
    out[at + 4] = longer
    out[at + 5] = cycle_ns / NS_PER_HOUR
    out[at + 6] = cycle_likeness
    out[at + 7], out[at + 8], out[at + 9] = layers
    out[at + 10] = hops
