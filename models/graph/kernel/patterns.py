"""Shapes around one transfer: scatter-gather, bipartite layers and stacks, and the chain that leads to it."""

from models.features.batch import Int64s
from models.graph.kernel.cycles import likeness
from models.graph.kernel.layout import (
    AMOUNT,
    CHAIN_HOPS_MAX,
    CHAIN_LIKENESS_MIN,
    CO_SENDERS,
    CUT_SHORT,
    HEAD,
    IN,
    NEIGHBOURS,
    OUT,
    PEER,
    STAMP,
    STEPS,
    TAIL,
    TIME,
    WEEK_NS,
    Desk,
    GraphStore,
)
from models.graph.kernel.ring import entry_of, first_from
from streams.kernels.compiled import compiled, inlined

# Marks on an account: the stamp of those who paid the sender, of those it paid, of senders looked into, then how many
# ways lead from it to the receiver, and the sender through which one was counted last.
SOURCE, RECEIVER, SEEN, WAYS, LAST_WAY = 0, 1, 2, 3, 4


@inlined
def _last_ones(store: GraphStore, ring: int, until: int, since: int, notes: Int64s) -> tuple[int, int]:
    """Numbers [first, end) of the history's transfers later than `since` and before `until`, the last NEIGHBOURS."""
    rings, arena = store.rings, store.arena
    head = rings[ring, HEAD]
    end = first_from(rings, ring, arena, until, head, rings[ring, TAIL], notes)
    first, floor = end, max(head, end - NEIGHBOURS)
    while first > head and arena[entry_of(rings, ring, first - 1), TIME] > since:
        if first == floor:
            store.clock[CUT_SHORT] += 1
            break
        first -= 1
    notes[STEPS] += end - first
    return first, end


@inlined
def _mark_around(store: GraphStore, sender: int, receiver: int, time: int, since: int, desk: Desk) -> int:
    """Mark who paid the sender before `time`, and whom else it paid up to then; how many paid it."""
    rings, arena, notes, marks = store.rings, store.arena, desk.notes, desk.marks
    stamp, sources = notes[STAMP], 0
    first, end = _last_ones(store, 2 * sender + IN, time, since, notes)
    for number in range(first, end):
        peer = arena[entry_of(rings, 2 * sender + IN, number), PEER]
        if peer >= 0 and peer != receiver and marks[peer, SOURCE] != stamp:
            marks[peer, SOURCE], marks[peer, WAYS] = stamp, 1
            sources += 1
    first, end = _last_ones(store, 2 * sender + OUT, time + 1, since, notes)
    for number in range(first, end):
        peer = arena[entry_of(rings, 2 * sender + OUT, number), PEER]
        if peer >= 0 and peer != receiver:
            marks[peer, RECEIVER] = stamp
    return sources


@compiled
def find_layers(
    store: GraphStore, sender: int, receiver: int, time: int, horizon: int, desk: Desk
) -> tuple[int, int, int]:
    """Scatter-gather, bipartite and stack around a transfer, in the week up to `time`.

    The most intermediaries, the sender among them, through which money of one source came to the receiver (first to the
    intermediary, then on); other senders to the receiver who paid another receiver of the sender's too; those of them
    who also have a source in common with the sender.
    """
    rings, arena, notes, marks = store.rings, store.arena, desk.notes, desk.marks
    notes[STAMP] += 1
    stamp, since = notes[STAMP], max(time - WEEK_NS, horizon)
    ways = 1 if _mark_around(store, sender, receiver, time, since, desk) > 0 else 0
    bipartite, stack, looked = 0, 0, 0
    marks[sender, SEEN] = stamp
    first, end = _last_ones(store, 2 * receiver + IN, time + 1, since, notes)
    for number in range(end - 1, first - 1, -1):
        entry = entry_of(rings, 2 * receiver + IN, number)
        other = arena[entry, PEER]
        if other < 0 or marks[other, SEEN] == stamp:
            continue
        if looked == CO_SENDERS:
            store.clock[CUT_SHORT] += 1
            break
        looked += 1
        marks[other, SEEN] = stamp
        has_source, shares = _count_ways(store, other, arena[entry, TIME], since, desk), False
        ways = max(ways, has_source)
        start, stop = _last_ones(store, 2 * other + OUT, time + 1, since, notes)
        for step in range(start, stop):
            peer = arena[entry_of(rings, 2 * other + OUT, step), PEER]
            shares = shares or (peer >= 0 and marks[peer, RECEIVER] == stamp)
        bipartite += shares
        stack += shares and has_source > 0
    return ways, bipartite, stack


@inlined
def _count_ways(store: GraphStore, other: int, until: int, since: int, desk: Desk) -> int:
    """Count a further way for each marked source that paid `other` before `until`; the most ways of one of them."""
    rings, arena, notes, marks = store.rings, store.arena, desk.notes, desk.marks
    stamp, most = notes[STAMP], 0
    first, end = _last_ones(store, 2 * other + IN, until, since, notes)
    for number in range(first, end):
        peer = arena[entry_of(rings, 2 * other + IN, number), PEER]
        if peer < 0 or marks[peer, SOURCE] != stamp:
            continue
        if marks[peer, WAYS] == 1 or marks[peer, LAST_WAY] != other:
            marks[peer, WAYS] += 1
            marks[peer, LAST_WAY] = other
        most = max(most, marks[peer, WAYS])
    return most


@compiled
def follow_back(store: GraphStore, sender: int, time: int, sent: int, horizon: int, notes: Int64s) -> int:
    """How many transfers in a row led here: back from the sender, each time to the last receipt of a like amount."""
    rings, arena = store.rings, store.arena
    account, until, amount, since, hops = sender, time, sent, max(time - WEEK_NS, horizon), 0
    while account >= 0 and hops < CHAIN_HOPS_MAX:
        ring = 2 * account + IN
        first, end = _last_ones(store, ring, until, since, notes)
        account = -1
        for number in range(end - 1, first - 1, -1):
            entry = entry_of(rings, ring, number)
            if likeness(amount, arena[entry, AMOUNT]) >= CHAIN_LIKENESS_MIN:
                account, until, amount = arena[entry, PEER], arena[entry, TIME], arena[entry, AMOUNT]
                hops += 1
                break
    return hops
