"""What an account's histories say at one instant: windows, sums, and counterparties told apart."""

from models.features.batch import Int64s
from models.graph.kernel.layout import (
    AFTER,
    BOTH,
    COUNT_BITS,
    COUNT_MASK,
    DAY_NS,
    DAY_WINDOW,
    DISTINCT,
    GATHERED,
    HEAD,
    IN,
    LOOKED_AT,
    MONTH_NS,
    MONTH_WINDOW,
    OTHERS_UP_TO,
    OUT,
    PEER,
    STAMP,
    START,
    STEPS,
    SUM_COUNTS,
    SUM_FIELDS,
    SUMMED,
    TIME,
    WEEK_NS,
    WEEK_WINDOW,
    WINDOWS,
    Desk,
    GraphStore,
)
from models.graph.kernel.ring import add_sums_before, entry_of, first_from, sum_before, up_to
from streams.kernels.compiled import compiled, inlined


@inlined
def start_at(direction: int, window: int) -> int:
    """Where the number of a window's first transfer is noted."""
    return START + direction * WINDOWS + window


@inlined
def summed(notes: Int64s, direction: int, window: int, field: int) -> int:
    """A sum over a window."""
    return notes[SUMMED + (direction * WINDOWS + window) * SUM_FIELDS + field]  # type: ignore[no-any-return]


@inlined
def counted(notes: Int64s, direction: int, window: int, which: int) -> int:
    """One of the three counts packed into a number: 0 just below, 1 round, 2 new."""
    return (summed(notes, direction, window, SUM_COUNTS) >> which * COUNT_BITS) & COUNT_MASK


@inlined
def transfers(notes: Int64s, direction: int, window: int) -> int:
    """Transfers in a window."""
    return notes[AFTER + direction] - notes[start_at(direction, window)]  # type: ignore[no-any-return]


@compiled
def see_windows(store: GraphStore, account: int, time: int, horizon: int, held: int, notes: Int64s) -> None:
    """Note the windows of both histories up to `time`, and their sums.

    `held` says by bits in which of the two the transfer at hand stands itself (1 out, 2 in). Nothing up to `horizon` is
    looked at, forgotten already or not.
    """
    rings, arena, sums = store.rings, store.arena, store.sums
    for direction in range(2):
        ring = 2 * account + direction
        after = up_to(rings, ring, arena, time, notes)
        notes[AFTER + direction] = after
        notes[OTHERS_UP_TO + direction] = after - ((held >> direction) & 1)
        low = rings[ring, HEAD]
        for window, width in ((MONTH_WINDOW, MONTH_NS), (WEEK_WINDOW, WEEK_NS), (DAY_WINDOW, DAY_NS)):
            low = first_from(rings, ring, arena, max(time - width, horizon) + 1, low, after, notes)
            notes[start_at(direction, window)] = low
        for window in range(WINDOWS):
            first = notes[start_at(direction, window)]
            at = SUMMED + (direction * WINDOWS + window) * SUM_FIELDS
            for field in range(SUM_FIELDS):
                notes[at + field] = 0
            if first < after:
                add_sums_before(rings, ring, sums, after, 1, notes, at)
                add_sums_before(rings, ring, sums, first, -1, notes, at)


@inlined
def _first_payment_on(rings: Int64s, account: int, arena: Int64s, notes: Int64s) -> int:
    """The number of the first transfer out later than the week's first one in; behind all when there is none."""
    ring, first = 2 * account + IN, notes[start_at(IN, WEEK_WINDOW)]
    if first == notes[AFTER + IN]:
        return notes[AFTER + OUT]  # type: ignore[no-any-return]
    time, low = arena[entry_of(rings, ring, first), TIME], notes[start_at(OUT, WEEK_WINDOW)]
    return first_from(rings, 2 * account + OUT, arena, time + 1, low, notes[AFTER + OUT], notes)


@compiled
def see_counterparties(store: GraphStore, account: int, desk: Desk) -> None:
    """Note the distinct counterparties of each direction and window (see `see_windows`).

    Behind the last LOOKED_AT transfers, those count that were new when they came.
    """
    rings, arena, notes, marks = store.rings, store.arena, desk.notes, desk.marks
    gathered_from = _first_payment_on(rings, account, arena, notes)
    notes[STAMP] += 1
    stamp = notes[STAMP]
    notes[BOTH] = notes[GATHERED] = 0
    for direction in range(2):
        ring, after = 2 * account + direction, notes[AFTER + direction]
        day, week = notes[start_at(direction, DAY_WINDOW)], notes[start_at(direction, WEEK_WINDOW)]
        floor = max(notes[start_at(direction, MONTH_WINDOW)], after - LOOKED_AT)
        count, in_day, in_week = 0, 0, 0
        for number in range(after - 1, floor - 1, -1):
            peer = arena[entry_of(rings, ring, number), PEER]
            if peer >= 0 and marks[peer, direction] != stamp:
                marks[peer, direction] = stamp
                count += 1
                if direction == IN and marks[peer, OUT] == stamp:
                    notes[BOTH] += 1
            if number >= day:
                in_day = count
            if number >= week:
                in_week = count
            if direction == OUT and number >= gathered_from:
                notes[GATHERED] = count
        notes[STEPS] += after - floor
        at = DISTINCT + direction * WINDOWS
        notes[at], notes[at + 1], notes[at + 2] = in_day, in_week, count
        for window in range(WINDOWS):
            notes[at + window] += _new_before(store, ring, notes[start_at(direction, window)], floor)
        if direction == OUT:
            notes[GATHERED] += _new_before(store, ring, gathered_from, floor)


@inlined
def _new_before(store: GraphStore, ring: int, first: int, end: int) -> int:
    """Transfers numbered [first, end) whose counterparty was new."""
    if first >= end:
        return 0
    rings, sums = store.rings, store.sums
    packed = sum_before(rings, ring, sums, end, SUM_COUNTS) - sum_before(rings, ring, sums, first, SUM_COUNTS)
    return (packed >> 2 * COUNT_BITS) & COUNT_MASK
