"""A card's events in a ring that grows by doubling, in event-time order."""

from models.features.batch import Int64s
from models.features.kernel.layout import (
    AMOUNT,
    BLOCK,
    ENTRY_FIELDS,
    HASH,
    HEAD,
    REFUND,
    RETENTION_NS,
    SIZE_CLASS,
    SMALLEST_CLASS,
    TAIL,
    TIME,
)
from streams.kernels.compiled import inlined


@inlined
def entry_of(card: Int64s, number: int) -> int:
    """Where the card's event of this number stands in the arena."""
    return card[BLOCK] + (number & ((1 << card[SIZE_CLASS]) - 1))  # type: ignore[no-any-return]


@inlined
def copy_entry(arena: Int64s, target: int, source: int) -> None:
    """Copy one event."""
    for field in range(ENTRY_FIELDS):
        arena[target, field] = arena[source, field]


@inlined
def first_after(card: Int64s, arena: Int64s, time: int) -> int:
    """The number of the card's first event later than `time` (TAIL when there is none)."""
    low, high = card[HEAD], card[TAIL]
    while low < high:
        middle = (low + high) >> 1
        if arena[entry_of(card, middle), TIME] > time:
            high = middle
        else:
            low = middle + 1
    return low  # type: ignore[no-any-return]


@inlined
def was_seen(card: Int64s, arena: Int64s, after: int, time: int, event_hash: int) -> bool:
    """Whether an event of this time and hash is among those before number `after`."""
    number = after - 1
    while number >= card[HEAD]:
        entry = entry_of(card, number)
        if arena[entry, TIME] != time:
            return False
        if arena[entry, HASH] == event_hash:
            return True
        number -= 1
    return False


@inlined
def purchase_before(card: Int64s, arena: Int64s, after: int) -> int:
    """Where the latest purchase before number `after` stands in the arena, -1 when there is none."""
    number = after - 1
    while number >= card[HEAD]:
        entry = entry_of(card, number)
        if not arena[entry, AMOUNT] & REFUND:
            return entry
        number -= 1
    return -1


@inlined
def forget(card: Int64s, arena: Int64s, time: int) -> None:
    """Drop what a newest event at `time` leaves behind the retention.

    The latest purchase behind it stays (the latest refund when there is no purchase): it may be the one before the next
    event. A refund behind it that follows that purchase gives it its place.
    """
    while card[TAIL] - card[HEAD] > 1:
        first, second = entry_of(card, card[HEAD]), entry_of(card, card[HEAD] + 1)
        if arena[second, TIME] > time - RETENTION_NS:
            return
        if arena[second, AMOUNT] & REFUND and not arena[first, AMOUNT] & REFUND:
            copy_entry(arena, second, first)
        card[HEAD] += 1


@inlined
def reserve(card: Int64s, arena: Int64s, pool: Int64s) -> bool:
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
        copy_entry(arena, block + (number & ((1 << wanted) - 1)), entry_of(card, number))
    if size_class > 0:
        arena[card[BLOCK], 0] = pool[size_class]
        pool[size_class] = card[BLOCK]
    card[BLOCK], card[SIZE_CLASS] = block, wanted
    return True


@inlined
def insert(card: Int64s, arena: Int64s, after: int) -> int:
    """Open a place for an event of number `after` (room is reserved); where it stands in the arena."""
    for number in range(card[TAIL], after, -1):
        copy_entry(arena, entry_of(card, number), entry_of(card, number - 1))
    card[TAIL] += 1
    return entry_of(card, after)
