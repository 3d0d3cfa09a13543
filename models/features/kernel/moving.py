"""Cards' histories out of a store and into one, whole: what a checkpoint keeps of a card."""

from models.features.batch import Int32s, Int64s
from models.features.kernel.layout import BLOCK, ENTRY_FIELDS, HEAD, SIZE_CLASS, TAIL, CardStore, UInt32s
from models.features.kernel.ring import entry_of
from streams.kernels.compiled import compiled


@compiled
def count_entries(codes: Int32s, store: CardStore, ends: Int64s) -> int:
    """How many events the cards of these codes keep; `ends` [n] becomes where each card's end when they stand in a row.

    A card that the store does not hold yet keeps none.
    """
    total = 0
    for row in range(len(codes)):
        code = codes[row]
        if code < len(store.cards):
            total += store.cards[code, TAIL] - store.cards[code, HEAD]
        ends[row] = total
    return total


@compiled
def copy_out(codes: Int32s, store: CardStore, cards: Int64s, recent: Int32s, met: UInt32s, entries: Int64s) -> None:
    """Copy the cards of these codes to the rows of `cards`, `recent` and `met`, and their events, oldest first, to
    `entries` in a row."""
    at = 0
    for row in range(len(codes)):
        code = codes[row]
        if code >= len(store.cards):
            cards[row, :] = 0
            recent[row, :] = 0
            met[row, :] = 0
            continue
        card = store.cards[code]
        cards[row, :] = card
        recent[row, :] = store.recent[code]
        met[row, :] = store.met[code]
        for number in range(card[HEAD], card[TAIL]):
            source = entry_of(card, number)
            for field in range(ENTRY_FIELDS):
                entries[at, field] = store.arena[source, field]
            at += 1


@compiled
def copy_in(
    first: int, codes: Int32s, store: CardStore, cards: Int64s, recent: Int32s, met: UInt32s, entries: Int64s
) -> int:
    """Put rows as `copy_out` gave them, from row `first` on, in the place of the cards of these codes.

    Returns the row it stopped at: n, or the row for which the arena has no room (grow it and go on from there).
    """
    pool, arena = store.pool, store.arena
    at = 0
    for row in range(first):
        at += cards[row, TAIL] - cards[row, HEAD]
    for row in range(first, len(codes)):
        code, wanted = codes[row], cards[row, SIZE_CLASS]
        block = 0
        if wanted > 0:
            block = pool[wanted]
            if block >= 0:
                pool[wanted] = arena[block, 0]
            else:
                block = pool[0]
                if block + (1 << wanted) > len(arena):
                    return row
                pool[0] = block + (1 << wanted)
        card = store.cards[code]
        if card[SIZE_CLASS] > 0:
            arena[card[BLOCK], 0] = pool[card[SIZE_CLASS]]
            pool[card[SIZE_CLASS]] = card[BLOCK]
        card[:] = cards[row]
        card[BLOCK] = block
        store.recent[code, :] = recent[row]
        store.met[code, :] = met[row]
        for number in range(card[HEAD], card[TAIL]):
            target = entry_of(card, number)
            for field in range(ENTRY_FIELDS):
                arena[target, field] = entries[at, field]
            at += 1
    return len(codes)
