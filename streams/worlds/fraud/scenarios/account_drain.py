"""Account drain to a mule: an account is taken over and emptied bit by bit, to mules whom other victims pay too.

Looks like: somebody with a new phone who moves money in parts, because limits are for each payment. Nothing is drained
to the last cent, and the mules are people's accounts that have a life of their own.
"""

import numpy as np

from streams.worlds.fraud.categories import DIGITAL, TRANSFER
from streams.worlds.fraud.drafts import NONE, Drafts
from streams.worlds.fraud.payees import MULES_PER_COUNTRY, mules
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt, spaced
from streams.worlds.fraud.scene import Scene

VOUCHER_SHARE = 0.2
MEDIAN_MINOR, SIGMA = 6_000.0, 0.6


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Make three to seven transfers and vouchers within hours, from a device or two, to one or two mules."""
    card = int(scene.draw_cards(1, rng)[0])
    count = 3 + int(rng.poisson(2.0))
    cards = np.full(count, card)
    start_ns = scene.attack_start_ns(since_ns, card, TRANSFER, rng)
    time_ns = spaced(start_ns, count, 2_700.0, rng)
    pair = rng.integers(0, MULES_PER_COUNTRY, 2)
    payees = mules(scene, cards, np.full(count, start_ns), pair[(rng.random(count) < 0.35).astype(np.int64)])
    is_voucher = rng.random(count) < VOUCHER_SHARE
    shops = scene.lax_outlets(scene.shelves(cards, rng), np.full(count, DIGITAL), rng)
    level = MEDIAN_MINOR * np.exp(rng.normal(0.0, SIGMA) + scene.population.log_wealth[card])
    sums = np.where(is_voucher, 0.4, 1.0) * level * scene.lifted(count, 0.55, 0.4, rng)
    amounts = scene.priced(sums, np.zeros(count, np.bool_), rng)
    devices = scene.changing_devices(start_ns, count, 0.75, rng)
    devices[rng.random(count) < 0.08] = NONE
    return attempt(scene, time_ns, cards, np.where(is_voucher, shops, payees), amounts, devices, rng)


SCENARIO = FraudScenario(
    "account_drain", 0.08, launch, causes=("device", "velocity", "network", "merchant", "risk", "amount")
)
