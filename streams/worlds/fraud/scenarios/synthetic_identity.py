"""Synthetic identity: made-up customers open cards, share devices, pay well for weeks, and bust out together.

Looks like: new customers, whose spending grows too, and families that share a laptop.
"""

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.arrays import Ints
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import Drafts, join
from streams.worlds.fraud.scenarios.bust_out import leave, spree
from streams.worlds.fraud.scenarios.scenario import FraudScenario
from streams.worlds.fraud.scene import Scene

RING_MIN, RING_MAX = 2, 3
QUIET_DAYS_MIN, QUIET_DAYS_MAX = 14.0, 50.0
LIFE_NS = int(QUIET_DAYS_MAX) * NS_PER_DAY + 4 * BLOCK_NS


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let a ring of two or three open cards now, pay from one laptop, and use up their lines within a week later on."""
    ring = _ring(scene, since_ns, int(rng.integers(RING_MIN, RING_MAX + 1)), rng)
    cards = np.flatnonzero(np.isin(scene.population.customer, ring))
    quiet_ns = int(rng.uniform(QUIET_DAYS_MIN, QUIET_DAYS_MAX) * NS_PER_DAY)
    parts = []
    for card in cards:
        since = since_ns + BLOCK_NS + quiet_ns + int(rng.random() * BLOCK_NS)
        parts.append(spree(scene, int(card), since, 4 + int(rng.poisson(2.5)), rng))
    bought = join(parts)
    for card in cards:
        leave(scene, int(card), bought)
    return bought


def _ring(scene: Scene, since_ns: int, count: int, rng: np.random.Generator) -> Ints:
    """Open cards for customers who do not exist and use one laptop."""
    members, state = scene.members, scene.circumstances
    begin = since_ns + rng.integers(0, BLOCK_NS, count)
    ring = members.welcome(count, begin, scene.population.active_customers)
    members.in_bad_faith[ring] = True
    state.lender[ring] = ring[0]
    state.borrows_from_ns[ring], state.borrows_until_ns[ring] = begin, begin + LIFE_NS
    return ring


SCENARIO = FraudScenario("synthetic_identity", 0.06, launch, causes=("age", "network", "amount", "velocity", "device"))
