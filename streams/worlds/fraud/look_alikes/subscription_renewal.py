"""Subscription renewal: small charges by the merchant, month after month, at night; new ones start with a tiny check.

Resembles: card testing.
"""

from dataclasses import replace

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from streams.worlds.arrays import Ints, unit_hash
from streams.worlds.fraud.categories import CODE, DIGITAL
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import NONE, ONLINE, Drafts, draft, join
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.scene import Scene

MONTH_NS = 30 * NS_PER_DAY + 10 * NS_PER_HOUR
MONTHS_KEPT = 5
CHECKS_MAX = 3
CHECKS_MEAN = (1 + CHECKS_MAX) / 2
PRICES_MINOR = np.array([299, 499, 799, 999, 1_299, 1_499, 1_999, 2_999, 5_900, 11_900])
NIGHTLY_RUN_NS = 5 * NS_PER_HOUR


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Charge what falls due in the block. A subscription is kept for some months, then another one takes its place."""
    held = scene.population.cards / scene.config.cards
    subscriptions = round(held * events * MONTH_NS / BLOCK_NS / (1.0 + CHECKS_MEAN / MONTHS_KEPT))
    number = np.arange(subscriptions)
    card = (unit_hash(number, scene.salt + 1) * scene.population.cards).astype(np.int64)
    phase = (unit_hash(number, scene.salt + 2) * MONTHS_KEPT * MONTH_NS).astype(np.int64)
    month = -((phase - since_ns) // MONTH_NS)
    due_ns = phase + month * MONTH_NS
    due = (due_ns >= since_ns) & (due_ns < since_ns + BLOCK_NS)
    number, card, due_ns, month = number[due], card[due], due_ns[due], month[due]
    begins = month % MONTHS_KEPT == 0
    charges = _charges(scene, card, due_ns, number * 1_009 + month // MONTHS_KEPT)
    checks = _checks(scene, charges.take(begins), rng)
    wait_s = np.where(begins, np.exp(rng.uniform(np.log(60.0), np.log(12 * 3_600.0), len(charges))), 0.0)
    return join([replace(charges, time_ns=charges.time_ns + (wait_s * NS_PER_S).astype(np.int64)), checks])


def _charges(scene: Scene, card: Ints, due_ns: Ints, term: Ints) -> Drafts:
    """Charge the price of the subscription, mostly in the merchant's nightly run; the device plays no part in it."""
    category = np.where(unit_hash(term, scene.salt + 3) < 0.75, DIGITAL, CODE["entertainment"])
    shelf = scene.places.online_of_country[scene.places.country[scene.homes(card)]]
    outlet = scene.outlets.at(shelf, category, unit_hash(term, scene.salt + 4))
    price = PRICES_MINOR[(unit_hash(term, scene.salt + 5) ** 1.5 * len(PRICES_MINOR)).astype(np.int64)]
    nightly = unit_hash(term, scene.salt + 6) < 0.6
    at_night = due_ns - due_ns % NS_PER_DAY + (unit_hash(due_ns, scene.salt + 7) * NIGHTLY_RUN_NS).astype(np.int64)
    nobody = np.full(len(card), NONE)
    return draft(np.where(nightly, at_night, due_ns), card, outlet, nobody, np.full(len(card), ONLINE), price)


def _checks(scene: Scene, begun: Drafts, rng: np.random.Generator) -> Drafts:
    """Verify the card of a new subscription with small payments from the customer's device, before the first charge."""
    times = rng.integers(1, CHECKS_MAX + 1, len(begun))
    checks = begun.take(np.repeat(np.arange(len(begun)), times))
    after_ns = rng.integers(0, 60, len(checks)) * NS_PER_S
    amount = rng.integers(50, 300, len(checks))
    time_ns = checks.time_ns + after_ns
    device = scene.own_devices(
        time_ns, checks.card, checks.channel, scene.strange_share(np.zeros(len(checks), np.bool_), amount), rng
    )
    return draft(time_ns, checks.card, checks.outlet, device, checks.channel, amount)


LOOK_ALIKE = LookAlike("subscription_renewal", 0.03, 1.0, occur)
