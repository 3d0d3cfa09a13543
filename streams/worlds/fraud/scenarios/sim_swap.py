"""SIM swap with a new payee: the victim's number is moved to another phone, which pays somebody new within hours.

Looks like: a new phone, on which the customer sets up payees and subscriptions again.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.fraud.categories import DIGITAL, TRANSFER
from streams.worlds.fraud.drafts import Drafts
from streams.worlds.fraud.payees import MULES_PER_COUNTRY, mules, new_payees
from streams.worlds.fraud.scenarios.scenario import FraudScenario, attempt, spaced
from streams.worlds.fraud.scene import Scene

MEDIAN_MINOR, SIGMA = 11_000.0, 0.8
TRIED_SHARE, MULE_SHARE = 0.5, 0.4


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Pay two new payees or three from one phone never seen before, at times after a small purchase to try it."""
    card = int(scene.draw_cards(1, rng)[0])
    tries, uses = int(rng.random() < TRIED_SHARE), 2 + int(rng.poisson(1.0))
    count = tries + uses
    cards = np.full(count, card)
    start_ns = scene.attack_start_ns(since_ns, card, TRANSFER, rng)
    pause_ns = int(rng.exponential(1.5) * NS_PER_HOUR) * tries
    paid = spaced(start_ns + pause_ns, uses, 4_500.0, rng)
    time_ns = np.concatenate((np.full(tries, start_ns), paid))
    shelf = scene.shelves(cards, rng)
    shop = scene.any_outlets(shelf[:tries], np.full(tries, DIGITAL), rng)
    fresh = new_payees(scene, cards[tries:], rng)
    shared = mules(scene, cards[tries:], paid, rng.integers(0, MULES_PER_COUNTRY, uses))
    payees = np.where(rng.random(uses) < MULE_SHARE, shared, fresh)
    small = scene.amounts(cards[:tries], shop, rng)
    sums = MEDIAN_MINOR * np.exp(rng.normal(0.0, SIGMA, uses) + scene.population.log_wealth[card])
    large = scene.priced(sums * scene.lifted(uses, 0.5, 0.3, rng), np.zeros(uses, np.bool_), rng)
    devices = np.full(count, scene.fresh_devices(1, rng)[0])
    return attempt(scene, time_ns, cards, np.concatenate((shop, payees)), np.concatenate((small, large)), devices, rng)


SCENARIO = FraudScenario("sim_swap", 0.06, launch, causes=("device", "merchant", "amount", "network"))
