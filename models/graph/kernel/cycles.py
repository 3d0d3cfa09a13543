"""Cycles in time: money that comes back to where a transfer of the last week set out, hop by hop, each later."""

from models.features.batch import Int64s
from models.graph.kernel.layout import (
    AMOUNT,
    CUT_SHORT,
    CYCLE_LENGTH_MAX,
    CYCLE_STEPS,
    CYCLES,
    HEAD,
    IN,
    NEIGHBOURS,
    OUT,
    PATH_DEPTH,
    PATH_LIMIT,
    PATH_NODE,
    PATH_PARENT,
    PATHS_MAX,
    PEER,
    STEPS,
    TAIL,
    TIME,
    WEEK_NS,
    Desk,
    GraphStore,
)
from models.graph.kernel.ring import entry_of, first_from
from streams.kernels.compiled import compiled, inlined


@inlined
def likeness(one: int, other: int) -> float:
    """How alike two amounts are: the smaller over the larger; 0 when both are nothing."""
    larger = max(one, other)
    return min(one, other) / larger if larger > 0 else 0.0


@inlined
def _is_on_path(paths: Int64s, place: int, account: int) -> bool:
    while place >= 0:
        if paths[place, PATH_NODE] == account:
            return True
        place = paths[place, PATH_PARENT]
    return False


@inlined
def _earliest(store: GraphStore, account: int, since: int, time: int, notes: Int64s) -> int:
    """When the account first paid after `since`; `time` when it has not before that."""
    rings, ring = store.rings, 2 * account + OUT
    first = first_from(rings, ring, store.arena, since + 1, rings[ring, HEAD], rings[ring, TAIL], notes)
    if first == rings[ring, TAIL]:
        return time
    return int(min(time, store.arena[entry_of(rings, ring, first), TIME]))


@compiled
def find_cycles(
    store: GraphStore, sender: int, receiver: int, time: int, sent: int, horizon: int, desk: Desk
) -> tuple[float, float]:
    """Count, by length, the cycles that a transfer closes: simple paths from its receiver to its sender, every transfer
    later than the one before it, all in the week before `time`.

    Backwards from the sender, shorter paths first and among those the most recent, until CYCLE_STEPS are spent. Returns
    the shortest one's time in nanoseconds (from the first transfer) and the best likeness of the amount that comes back
    and the one that left; NaN when there is none.
    """
    rings, arena, notes, paths = store.rings, store.arena, desk.notes, desk.paths
    for length in range(CYCLE_LENGTH_MAX + 1):
        notes[CYCLES + length] = 0
    found, quickest, best = False, float("nan"), float("nan")
    begun = notes[STEPS]
    since = _earliest(store, receiver, max(time - WEEK_NS, horizon), time, notes)
    if since == time:
        return quickest, best
    paths[0, PATH_NODE], paths[0, PATH_LIMIT], paths[0, PATH_PARENT], paths[0, PATH_DEPTH] = sender, time, -1, 2
    place, count, cut = 0, 1, False
    while place < count and not cut:
        ring, length = 2 * paths[place, PATH_NODE] + IN, paths[place, PATH_DEPTH]
        head, limit = rings[ring, HEAD], paths[place, PATH_LIMIT]
        if notes[STEPS] - begun >= CYCLE_STEPS:
            cut = True
            break
        number = first_from(rings, ring, arena, limit, head, rings[ring, TAIL], notes) - 1
        floor = max(head, number + 1 - NEIGHBOURS)
        while number >= head:
            entry = entry_of(rings, ring, number)
            at = arena[entry, TIME]
            if at < since:
                break
            if number < floor:
                store.clock[CUT_SHORT] += 1
                break
            if notes[STEPS] - begun >= CYCLE_STEPS or count == PATHS_MAX:
                cut = True
                break
            notes[STEPS] += 1
            account = arena[entry, PEER]
            if account == receiver:
                notes[CYCLES + length] += 1
                alike = likeness(sent, arena[entry, AMOUNT])
                quickest = min(quickest, time - at) if found else float(time - at)
                best = max(best, alike) if found else alike
                found = True
            elif account >= 0 and length < CYCLE_LENGTH_MAX and not _is_on_path(paths, place, account):
                paths[count, PATH_NODE], paths[count, PATH_LIMIT] = account, at
                paths[count, PATH_PARENT], paths[count, PATH_DEPTH] = place, length + 1
                count += 1
            number -= 1
        place += 1
    if cut:
        store.clock[CUT_SHORT] += 1
    return quickest, best
