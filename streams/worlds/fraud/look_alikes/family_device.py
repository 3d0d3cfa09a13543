"""Family device: somebody buys on a relative's laptop, so that one device pays with the cards of several customers.

Resembles: account takeover, card not present with a new device, and the shared devices of synthetic identities.
"""

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import Drafts, no_drafts
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.scene import Scene

EVENTS_PER_BORROWER = 10.5
MEAN_DAYS = 30.0


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let customers use the laptop of their household for some weeks; what they buy on it is marked."""
    state, people = scene.circumstances, scene.population
    wanted = int(rng.poisson(events / EVENTS_PER_BORROWER))
    customers = np.unique(people.customer[scene.draw_cards(4 * wanted, rng)])
    free = (people.relative[customers] != customers) & (state.borrows_until_ns[customers] < since_ns)
    customers = rng.permutation(customers[free])[:wanted]
    begin = since_ns + rng.integers(0, BLOCK_NS, len(customers))
    state.lender[customers] = people.relative[customers]
    state.borrows_from_ns[customers] = begin
    days = rng.gamma(2.0, MEAN_DAYS / 2.0, len(customers)) + 3.0
    state.borrows_until_ns[customers] = begin + (days * NS_PER_DAY).astype(np.int64)
    return no_drafts()


LOOK_ALIKE = LookAlike("family_device", 0.010, 0.0, occur)
