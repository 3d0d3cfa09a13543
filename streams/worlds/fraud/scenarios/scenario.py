"""What a fraud scenario is: a name, a share of the fraud events, and a campaign that can be launched."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streams.causes import Cause
from streams.labels import NS_PER_S
from streams.worlds.arrays import Ints
from streams.worlds.fraud.drafts import NONE, ONLINE, Drafts, draft
from streams.worlds.fraud.scene import Scene

Launch = Callable[[Scene, int, np.random.Generator], Drafts]


@dataclass(frozen=True, slots=True)
class FraudScenario:
    """A pattern of fraud. `share` is its default share of the fraud events.

    `launch(scene, since_ns, rng)` returns one campaign that begins within the block of event time starting at
    `since_ns`; it may run on for weeks. All randomness comes from `rng`. `causes` are the families of evidence by which
    it can be seen: what a good reason for flagging it would name.
    """

    name: str
    share: float
    launch: Launch
    causes: tuple[Cause, ...]


def spaced(start_ns: int, count: int, mean_gap_s: float, rng: np.random.Generator) -> Ints:
    """Instants of `count` attempts from `start_ns` on, with exponential gaps: int64 [count]."""
    gaps = rng.standard_exponential(count) * mean_gap_s + 5.0
    gaps[0] = 0.0
    return start_ns + (np.cumsum(gaps) * NS_PER_S).astype(np.int64)


def attempt(
    scene: Scene, time_ns: Ints, cards: Ints, outlets: Ints, amount_minor: Ints, devices: Ints, rng: np.random.Generator
) -> Drafts:
    """Put a campaign's payments together. A device is seen online only; by the world's `own_device_share` it is the
    victim's own (malware, remote access).
    """
    channel = scene.channels(cards, outlets, amount_minor, rng)
    own = scene.own_devices(time_ns, cards, channel, np.zeros(len(cards)), rng)
    hidden = rng.random(len(cards)) < scene.config.own_device_share
    devices = np.where(hidden & (own != NONE), own, devices)
    return draft(time_ns, cards, outlets, np.where(channel == ONLINE, devices, NONE), channel, amount_minor)
