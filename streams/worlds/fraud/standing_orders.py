"""Standing orders: rent and the like, the same amount to the same payee month after month."""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.arrays import unit_hash
from streams.worlds.fraud.categories import TRANSFER
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import NONE, ONLINE, Drafts, draft
from streams.worlds.fraud.scene import Scene

MONTH_NS = 30 * NS_PER_DAY + 10 * NS_PER_HOUR
ORDERS = ((0.38, 65_000.0), (0.22, 7_000.0))
"""Share of cards with such an order, and its median amount (minor units): rent; savings, clubs, allowances."""
SPREAD = 1.6
RUN_BEGINS_NS, RUN_NS = 3 * NS_PER_HOUR, 4 * NS_PER_HOUR
PER_CARD_IN_A_BLOCK = sum(share for share, _ in ORDERS) * BLOCK_NS / MONTH_NS


def standing_orders(scene: Scene, since_ns: int) -> Drafts:
    """Carry out what falls due in the block, early in the morning; no device plays a part in it."""
    cards = np.arange(scene.population.cards)
    kind = np.repeat(np.arange(len(ORDERS)), len(cards))
    cards = np.tile(cards, len(ORDERS))
    key = cards * len(ORDERS) + kind
    share, median = (np.array(column)[kind] for column in zip(*ORDERS, strict=True))
    phase = (unit_hash(key, scene.salt + 12) * MONTH_NS).astype(np.int64)
    due_ns = phase - (phase - since_ns) // MONTH_NS * MONTH_NS
    due = (unit_hash(key, scene.salt + 11) < share) & (due_ns >= since_ns) & (due_ns < since_ns + BLOCK_NS)
    cards, key, due_ns, median = cards[due], key[due], due_ns[due], median[due]
    minute_ns = (unit_hash(due_ns + key, scene.salt + 13) * RUN_NS).astype(np.int64)
    time_ns = due_ns - due_ns % NS_PER_DAY + RUN_BEGINS_NS + minute_ns
    shelf = scene.places.online_of_country[scene.places.country[scene.homes(cards)]]
    payee = scene.outlets.at(shelf, np.full(len(cards), TRANSFER), unit_hash(key, scene.salt + 14))
    spread = np.exp((unit_hash(key, scene.salt + 15) - 0.5) * SPREAD + scene.population.log_wealth[cards])
    amount = np.maximum((median * spread).astype(np.int64) // 500, 1) * 500
    nobody = np.full(len(cards), NONE)
    drafts = draft(time_ns, cards, payee, nobody, np.full(len(cards), ONLINE), amount)
    return drafts.take(time_ns >= since_ns)
