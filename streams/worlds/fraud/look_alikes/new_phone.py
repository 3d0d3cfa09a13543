"""New phone: from one day on, a customer pays from a device that was never seen before.

Resembles: account takeover, card not present with a new device.
"""

import numpy as np

from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import Drafts, no_drafts
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.population import PHONES
from streams.worlds.fraud.scene import Scene

EVENTS_PER_PHONE = 8.0


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Give customers new phones; their ordinary purchases move to them and are marked for the first days."""
    phones = int(rng.poisson(events / EVENTS_PER_PHONE))
    customers = np.unique(scene.population.customer[scene.draw_cards(phones, rng)])
    state = scene.circumstances
    customers = customers[state.phone_since_ns[customers] < since_ns]
    state.phone[customers] = (state.phone[customers] + 1) % PHONES
    state.phone_since_ns[customers] = since_ns + rng.integers(0, BLOCK_NS, len(customers))
    return no_drafts()


LOOK_ALIKE = LookAlike("new_phone", 0.012, 0.0, occur)
