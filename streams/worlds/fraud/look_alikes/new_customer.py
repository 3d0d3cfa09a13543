"""New customer: nothing is known of the card, every shop and device is new, and spending grows week by week.

Resembles: synthetic identity, and every first purchase on a stolen number.
"""

import numpy as np

from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import Drafts, no_drafts
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.scene import Scene

EVENTS_PER_CUSTOMER = 21.0


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let customers come, and as many leave; what newcomers buy in their first weeks is marked."""
    active = scene.population.active_customers
    count = min(int(rng.poisson(events / EVENTS_PER_CUSTOMER)), active // 4)
    scene.members.welcome(count, since_ns + rng.integers(0, BLOCK_NS, count), active)
    return no_drafts()


LOOK_ALIKE = LookAlike("new_customer", 0.014, 0.0, occur)
