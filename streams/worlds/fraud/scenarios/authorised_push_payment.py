"""Authorised push payment scam: victims are talked into sending money to one payee, themselves, on their own device.

Looks like: a first-time payee: a deposit, a builder, a used car. What gives it away is the sum against the victim's own
habit, and that several victims feed the same new payee.
"""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_S
from streams.worlds.arrays import Ints
from streams.worlds.fraud.categories import TRANSFER
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import ONLINE, Drafts, draft
from streams.worlds.fraud.payees import new_payees
from streams.worlds.fraud.scenarios.scenario import FraudScenario
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.segments import RETIRED

VICTIMS_MIN, VICTIMS_MAX = 3, 7
SPAN_DAYS = 18.0
MEDIAN_MINOR, SIGMA = 15_000.0, 0.7
KNOWN_PAYEE_SHARE = 0.55
"""Scams whose payee is an account with a trade of its own: a marketplace seller's, a hacked business's."""
RETIRED_WEIGHT = 3.0


def launch(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Let three to seven people of one country pay one payee within weeks, each once to four times within hours."""
    victims = _victims(scene, int(rng.integers(VICTIMS_MIN, VICTIMS_MAX + 1)), rng)
    parts = rng.integers(1, 5, len(victims))
    row = np.repeat(np.arange(len(victims)), parts)
    cards = victims[row]
    count = len(cards)
    payee = np.full(count, _payee(scene, victims[:1], rng))
    begins = since_ns + int(rng.random() * BLOCK_NS) // NS_PER_DAY * NS_PER_DAY
    days = np.floor(rng.uniform(0.0, SPAN_DAYS, len(victims))).astype(np.int64)
    hour_ns = scene.moments(0, victims, np.full(len(victims), TRANSFER), rng) % NS_PER_DAY
    wait_s = np.cumsum(rng.standard_exponential(count) * 7_000.0)
    wait_s -= wait_s[(np.cumsum(parts) - parts)[row]]
    time_ns = (begins + days * NS_PER_DAY + hour_ns)[row] + (wait_s * NS_PER_S).astype(np.int64)
    level = MEDIAN_MINOR * np.exp(rng.normal(0.0, SIGMA, len(victims)) + scene.population.log_wealth[victims])
    minor = scene.priced(level[row] * scene.lifted(count, 0.6, 0.35, rng), np.zeros(count, np.bool_), rng)
    round_sum = rng.random(count) < 0.6
    minor = np.where(round_sum, np.maximum(minor // 5_000, 1) * 5_000, minor)
    channel = np.full(count, ONLINE)
    device = scene.own_devices(time_ns, cards, channel, np.full(count, 0.06), rng)
    return draft(time_ns, cards, payee, device, channel, minor)


def _payee(scene: Scene, victim: Ints, rng: np.random.Generator) -> int:
    """Pick a payee nobody knows yet, or one that many pay."""
    if rng.random() < KNOWN_PAYEE_SHARE:
        shelf = scene.places.online_of_country[scene.places.country[scene.homes(victim)]]
        return int(scene.any_outlets(shelf, np.array([TRANSFER]), rng)[0])
    return int(new_payees(scene, victim, rng)[0])


def _victims(scene: Scene, count: int, rng: np.random.Generator) -> Ints:
    """Draw cards of one country, of the retired more often than of others."""
    drawn = np.unique(scene.draw_cards(30 * count, rng))
    weight = np.where(scene.population.segment[scene.population.customer[drawn]] == RETIRED, RETIRED_WEIGHT, 1.0)
    order = np.argsort(-weight * rng.random(len(drawn)) ** 0.5, kind="stable")
    country = scene.places.country[scene.homes(drawn[order])]
    victims: Ints = drawn[order[country == country[0]]][:count]
    return victims


SCENARIO = FraudScenario(
    "authorised_push_payment", 0.08, launch, causes=("amount", "merchant", "network", "risk", "velocity")
)
