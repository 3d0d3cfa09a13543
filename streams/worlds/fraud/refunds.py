"""Refunds: goods that come back, and the merchant pays for them, to the card and at the shop they were bought with."""

from dataclasses import replace

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.arrays import Floats, Ints
from streams.worlds.fraud.categories import CATEGORIES, column
from streams.worlds.fraud.drafts import NONE, Drafts
from streams.worlds.fraud.scene import Scene

RETURNED = {"fashion": 0.07, "electronics": 0.05, "home": 0.035, "travel": 0.03, "entertainment": 0.01}
"""Share of purchases that come back, by category; online more of them."""
FULL_SHARE = 0.65
MEAN_WAIT_DAYS = 6.0
_RETURNED = np.array([RETURNED.get(category.name, 0.0) for category in CATEGORIES])
REFUNDS_PER_EVENT = float((_RETURNED * column("share")).sum())


def returned_goods(scene: Scene, spent: Drafts, rng: np.random.Generator) -> Drafts:
    """Let some of the purchases come back after days, whole or in part."""
    share = _RETURNED[scene.outlets.category[spent.outlet]]
    chosen = np.flatnonzero(rng.random(len(spent)) < share)
    return refunds_of(spent.take(chosen), part_of(len(chosen), rng), waits_ns(len(chosen), rng))


def part_of(count: int, rng: np.random.Generator) -> Floats:
    """How much of a purchase is paid back: mostly all of it."""
    return np.where(rng.random(count) < FULL_SHARE, 1.0, rng.uniform(0.15, 0.9, count))


def waits_ns(count: int, rng: np.random.Generator) -> Ints:
    """How long goods are on their way back."""
    days = rng.gamma(2.0, MEAN_WAIT_DAYS / 2.0, count) + 0.2
    hours = rng.normal(0.0, 2.0, count)
    result: Ints = (days * NS_PER_DAY + hours * NS_PER_HOUR).clip(NS_PER_HOUR).astype(np.int64)
    return result


def refunds_of(purchases: Drafts, part: Floats, wait_ns: Ints) -> Drafts:
    """Pay `part` of the purchases back after `wait_ns`: the shop does it, no device is seen."""
    count = len(purchases)
    return replace(
        purchases,
        time_ns=purchases.time_ns + wait_ns,
        amount_minor=np.maximum((purchases.amount_minor * part).astype(np.int64), 1),
        device=np.full(count, NONE),
        scenario=np.full(count, NONE),
        look_alike=np.full(count, NONE),
        is_refund=np.ones(count, np.bool_),
    )
