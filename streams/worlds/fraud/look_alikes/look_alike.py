"""What a look-alike is: genuine behaviour that resembles fraud, with its share of all events."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streams.worlds.fraud.drafts import Drafts
from streams.worlds.fraud.scene import Scene

Occur = Callable[[Scene, int, float, np.random.Generator], Drafts]


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Genuine behaviour that imitates fraud. `share` is its default share of all events.

    `occur(scene, since_ns, events, rng)` lets it happen in the block of event time that starts at `since_ns`, for about
    `events` events in all: it may change customers' circumstances (ordinary spending then follows them and is marked),
    and returns the events that it adds. `added` is the share of its events that it adds.
    """

    name: str
    share: float
    added: float
    occur: Occur
