"""A history in a ring that grows and shrinks a few entries at a time, in event-time order, with running sums.

No step is longer for a longer history: a ring that is full gets a block of twice the size at once, and its transfers
follow, four with each new one. What stands beside an entry are the sums over all before it, so that a window's sum is a
difference of two.
"""

from typing import Any

from models.features.batch import Int64s, UInt8s
from models.graph.kernel.layout import (
    AMOUNT,
    BEHIND,
    BLOCK,
    DROPPED_AT_ONCE,
    ENTRY_FIELDS,
    GROUP_BITS,
    HASH,
    HEAD,
    LEAST_SILENT,
    LESS_SILENT,
    LONGER_SILENT,
    LOOKED_AT,
    MOST_SILENT,
    MOVED,
    MOVED_AT_ONCE,
    NO_TIME,
    OLD_BLOCK,
    OLD_CLASS,
    OLD_END,
    PARTS,
    PEER,
    SIZE_CLASS,
    SMALLEST_CLASS,
    STEPS,
    SUM_FIELDS,
    SWEPT,
    TAIL,
    TIME,
    TOTAL,
)
from streams.kernels.compiled import inlined

Entry = tuple[Any, Any, Any, Any]
"""Time, amount, hash and counterparty of one transfer, as it stands in the arena."""


@inlined
def entry_of(rings: Int64s, ring: int, number: int) -> int:
    """Where the history's transfer of this number stands in the arena."""
    block, size_class = rings[ring, BLOCK], rings[ring, SIZE_CLASS]
    if rings[ring, MOVED] <= number < rings[ring, OLD_END]:
        block, size_class = rings[ring, OLD_BLOCK], rings[ring, OLD_CLASS]
    return block + (number & ((1 << size_class) - 1))  # type: ignore[no-any-return]


@inlined
def first_from(rings: Int64s, ring: int, arena: Int64s, time: int, low: int, high: int, notes: Int64s) -> int:
    """The first number in [low, high) at `time` or later (high when there is none)."""
    steps = 0
    while low < high:
        middle = (low + high) >> 1
        steps += 1
        if arena[entry_of(rings, ring, middle), TIME] >= time:
            high = middle
        else:
            low = middle + 1
    notes[STEPS] += steps
    return low


@inlined
def up_to(rings: Int64s, ring: int, arena: Int64s, time: int, notes: Int64s) -> int:
    """The number behind the history's last transfer that is not later than `time`."""
    head, tail = rings[ring, HEAD], rings[ring, TAIL]
    if tail == head or arena[entry_of(rings, ring, tail - 1), TIME] <= time:
        return tail  # type: ignore[no-any-return]
    return first_from(rings, ring, arena, time + 1, head, tail, notes)


@inlined
def time_before(rings: Int64s, ring: int, arena: Int64s, number: int, time: int) -> int:
    """When the last transfer before `number` was, forgotten or not; NO_TIME when there was none up to `time`."""
    if number > rings[ring, HEAD]:
        return arena[entry_of(rings, ring, number - 1), TIME]  # type: ignore[no-any-return]
    if rings[ring, HEAD] > 0 and rings[ring, BEHIND] <= time:
        return rings[ring, BEHIND]  # type: ignore[no-any-return]
    return NO_TIME


@inlined
def was_seen(rings: Int64s, ring: int, arena: Int64s, after: int, event: Entry, notes: Int64s) -> bool:
    """Whether a transfer of this time, hash and counterparty is among the last ones before number `after`."""
    number = after - 1
    while number >= rings[ring, HEAD] and number >= after - LOOKED_AT:
        notes[STEPS] += 1
        entry = entry_of(rings, ring, number)
        if arena[entry, TIME] != event[TIME]:
            return False
        if arena[entry, HASH] == event[HASH] and arena[entry, PEER] == event[PEER]:
            return True
        number -= 1
    return False


@inlined
def sum_before(rings: Int64s, ring: int, sums: Int64s, number: int, field: int) -> int:
    """The sum over all transfers of the history before this number, forgotten ones too."""
    if number >= rings[ring, TAIL]:
        return rings[ring, TOTAL + field]  # type: ignore[no-any-return]
    return sums[entry_of(rings, ring, number), field]  # type: ignore[no-any-return]


@inlined
def add_sums_before(rings: Int64s, ring: int, sums: Int64s, number: int, sign: int, notes: Int64s, at: int) -> None:
    """Add to the notes from `at` on, or take from them (`sign` -1), every sum as `sum_before` gives it."""
    if number >= rings[ring, TAIL]:
        for field in range(SUM_FIELDS):
            notes[at + field] += sign * rings[ring, TOTAL + field]
        return
    entry = entry_of(rings, ring, number)
    for field in range(SUM_FIELDS):
        notes[at + field] += sign * sums[entry, field]


@inlined
def wanted_class(rings: Int64s, ring: int) -> int:
    """The class of the block that the history needs for one more transfer; 0 when it can stay where it is."""
    size_class, held = rings[ring, SIZE_CLASS], rings[ring, TAIL] - rings[ring, HEAD]
    if size_class == 0:
        return SMALLEST_CLASS
    if held == 1 << size_class:
        return size_class + 1  # type: ignore[no-any-return]
    if size_class > SMALLEST_CLASS and rings[ring, OLD_CLASS] == 0 and held << 3 <= 1 << size_class:
        return size_class - 1  # type: ignore[no-any-return]
    return 0


@inlined
def free_block(arena: Int64s, copied: UInt8s, pool: Int64s, block: int, size_class: int) -> None:
    """Give a block back."""
    arena[block, 0] = pool[size_class]
    copied[block >> GROUP_BITS] = 0
    pool[size_class] = block


@inlined
def _copy(arena: Int64s, sums: Int64s, copied: UInt8s, target: int, source: int) -> None:
    for field in range(ENTRY_FIELDS):
        arena[target, field] = arena[source, field]
    for field in range(SUM_FIELDS):
        sums[target, field] = sums[source, field]
    copied[target >> GROUP_BITS] = 0


@inlined
def move_on(rings: Int64s, ring: int, arena: Int64s, sums: Int64s, copied: UInt8s, pool: Int64s, notes: Int64s) -> None:
    """Move the next few transfers out of the block before this one, and give it back once it is empty."""
    if rings[ring, OLD_CLASS] == 0:
        return
    number = max(rings[ring, MOVED], rings[ring, HEAD])
    end = min(number + MOVED_AT_ONCE, rings[ring, OLD_END])
    old_mask, mask = (1 << rings[ring, OLD_CLASS]) - 1, (1 << rings[ring, SIZE_CLASS]) - 1
    while number < end:
        notes[STEPS] += 1
        target, source = rings[ring, BLOCK] + (number & mask), rings[ring, OLD_BLOCK] + (number & old_mask)
        _copy(arena, sums, copied, target, source)
        number += 1
    rings[ring, MOVED] = number
    if number >= rings[ring, OLD_END]:
        free_block(arena, copied, pool, rings[ring, OLD_BLOCK], rings[ring, OLD_CLASS])
        rings[ring, OLD_CLASS] = rings[ring, MOVED] = rings[ring, OLD_END] = 0


@inlined
def reserve(rings: Int64s, ring: int, arena: Int64s, pool: Int64s) -> None:
    """Make room for one more transfer; the arena has it (see `wanted_class`)."""
    wanted = wanted_class(rings, ring)
    if wanted == 0:
        return
    block = pool[wanted]
    if block >= 0:
        pool[wanted] = arena[block, 0]
    else:
        block = pool[0]
        pool[0] = block + (1 << wanted)
    if rings[ring, SIZE_CLASS] > 0:
        rings[ring, OLD_BLOCK], rings[ring, OLD_CLASS] = rings[ring, BLOCK], rings[ring, SIZE_CLASS]
        rings[ring, MOVED], rings[ring, OLD_END] = rings[ring, HEAD], rings[ring, TAIL]
    rings[ring, BLOCK], rings[ring, SIZE_CLASS] = block, wanted


@inlined
def insert(
    rings: Int64s, ring: int, arena: Int64s, sums: Int64s, copied: UInt8s, after: int, event: Entry, notes: Int64s
) -> None:
    """Put a transfer in its place (number `after`; room is reserved); PARTS of `notes` is what it adds to the sums."""
    tail = rings[ring, TAIL]
    for number in range(tail, after, -1):
        notes[STEPS] += 1
        target, source = entry_of(rings, ring, number), entry_of(rings, ring, number - 1)
        _copy(arena, sums, copied, target, source)
        for field in range(SUM_FIELDS):
            sums[target, field] += notes[PARTS + field]
    entry = entry_of(rings, ring, after)
    arena[entry, TIME], arena[entry, AMOUNT], arena[entry, HASH], arena[entry, PEER] = event
    copied[entry >> GROUP_BITS] = 0
    for field in range(SUM_FIELDS):
        if after == tail:
            sums[entry, field] = rings[ring, TOTAL + field]
        rings[ring, TOTAL + field] += notes[PARTS + field]
    rings[ring, TAIL] = tail + 1


@inlined
def unlink(rings: Int64s, ring: int, clock: Int64s) -> None:
    """Take a history out of the line of those that hold something."""
    longer, less = rings[ring, LONGER_SILENT], rings[ring, LESS_SILENT]
    if longer > 0:
        rings[longer - 1, LESS_SILENT] = less
    else:
        clock[MOST_SILENT] = less
    if less > 0:
        rings[less - 1, LONGER_SILENT] = longer
    else:
        clock[LEAST_SILENT] = longer


@inlined
def link_last(rings: Int64s, ring: int, clock: Int64s) -> None:
    """Put a history at the end of that line."""
    last = clock[LEAST_SILENT]
    rings[ring, LONGER_SILENT], rings[ring, LESS_SILENT] = last, 0
    if last > 0:
        rings[last - 1, LESS_SILENT] = ring + 1
    else:
        clock[MOST_SILENT] = ring + 1
    clock[LEAST_SILENT] = ring + 1


@inlined
def _release(rings: Int64s, ring: int, arena: Int64s, copied: UInt8s, pool: Int64s, clock: Int64s) -> None:
    """Give the memory of an empty history back."""
    if rings[ring, OLD_CLASS] > 0:
        free_block(arena, copied, pool, rings[ring, OLD_BLOCK], rings[ring, OLD_CLASS])
    free_block(arena, copied, pool, rings[ring, BLOCK], rings[ring, SIZE_CLASS])
    rings[ring, SIZE_CLASS] = rings[ring, OLD_CLASS] = rings[ring, MOVED] = rings[ring, OLD_END] = 0
    unlink(rings, ring, clock)


@inlined
def forget(
    rings: Int64s, ring: int, arena: Int64s, copied: UInt8s, pool: Int64s, clock: Int64s, horizon: int, notes: Int64s
) -> None:
    """Drop a few transfers that are not later than `horizon`; an empty history gives its memory back."""
    if rings[ring, SIZE_CLASS] == 0:
        return
    for _ in range(DROPPED_AT_ONCE):
        head = rings[ring, HEAD]
        if head == rings[ring, TAIL]:
            break
        time = arena[entry_of(rings, ring, head), TIME]
        if time > horizon:
            break
        notes[STEPS] += 1
        rings[ring, BEHIND], rings[ring, HEAD] = time, head + 1
    if rings[ring, HEAD] == rings[ring, TAIL]:
        _release(rings, ring, arena, copied, pool, clock)


@inlined
def forget_silent(
    rings: Int64s, arena: Int64s, copied: UInt8s, pool: Int64s, clock: Int64s, horizon: int, notes: Int64s
) -> None:
    """Forget, whole and at once, the next few histories whose last transfer is not later than `horizon`."""
    for _ in range(SWEPT):
        if clock[MOST_SILENT] == 0:
            return
        notes[STEPS] += 1
        ring = clock[MOST_SILENT] - 1
        last = arena[entry_of(rings, ring, rings[ring, TAIL] - 1), TIME]
        if last > horizon:
            return
        rings[ring, BEHIND], rings[ring, HEAD] = last, rings[ring, TAIL]
        _release(rings, ring, arena, copied, pool, clock)
