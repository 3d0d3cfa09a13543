"""First-time payee: a deposit, a builder, a used car: much money to somebody never paid before, at times in parts.

Resembles: authorised push payment scams, SIM swap with a new payee, accounts drained to mules.
"""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_S
from streams.worlds.fraud.categories import TRANSFER
from streams.worlds.fraud.drafts import ONLINE, Drafts, draft
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.payees import new_payees
from streams.worlds.fraud.scene import Scene

PARTS_MAX = 4
PARTS_SHARES = np.array([0.50, 0.24, 0.16, 0.10])
MEDIAN_MINOR, SIGMA = 26_000.0, 1.05
SAME_DAY_SHARE = 0.45
STRANGE_SHARE = 0.08
EVENTS_PER_PAYEE = float((PARTS_SHARES * np.arange(1, PARTS_MAX + 1)).sum())


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let customers pay somebody new, at once, within hours (limits are for each payment), or over weeks."""
    count = int(rng.poisson(events / EVENTS_PER_PAYEE))
    first = scene.draw_cards(count, rng)
    popular = rng.random(count) < 0.3  # a builder or a dealer is paid by several
    payees = np.where(popular, scene.any_outlets(scene.shelves(first, rng, 0.0), np.full(count, TRANSFER), rng),
                      new_payees(scene, first, rng))  # fmt: skip
    amount = MEDIAN_MINOR * np.exp(rng.normal(0.0, SIGMA, count) + scene.population.log_wealth[first])
    start_ns = scene.moments(since_ns, first, np.full(count, TRANSFER), rng)
    pace_s = np.where(rng.random(count) < SAME_DAY_SHARE, 2_400.0, 5.0 * NS_PER_DAY / NS_PER_S)
    parts = rng.choice(PARTS_MAX, count, p=PARTS_SHARES) + 1
    row = np.repeat(np.arange(count), parts)
    later = np.arange(len(row)) - (np.cumsum(parts) - parts)[row]
    wait_s = later * pace_s[row] * np.exp(rng.normal(0.0, 0.6, len(row)))
    time_ns = start_ns[row] + (wait_s * NS_PER_S).astype(np.int64)
    minor = scene.priced(amount[row] * np.exp(rng.normal(0.0, 0.25, len(row))), np.zeros(len(row), np.bool_), rng)
    round_sum = rng.random(len(row)) < 0.6
    minor = np.where(round_sum, np.maximum(minor // 5_000, 1) * 5_000, minor)
    channel = np.full(len(row), ONLINE)
    device = scene.own_devices(time_ns, first[row], channel, np.full(len(row), STRANGE_SHARE), rng)
    return draft(time_ns, first[row], payees[row], device, channel, minor)


LOOK_ALIKE = LookAlike("first_time_payee", 0.006, 1.0, occur)
