"""New venture: somebody starts a business or a new life: new partners, other sums, at times from abroad.

Resembles: changes of behaviour, mules, hawala.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import NONE, Drafts, join
from streams.worlds.aml.household import foreign_countries
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let people be paid by and pay strangers for days."""
    heart = occasions(scene, since_ns, events / 7.0, ANY_PERSON, rng, lift=1.2)
    home = scene.population.country(heart.account)
    of, usd = split(heart, 2, 6, rng, 0.5)
    account = heart.account[of]
    begin = heart.begin_ns[of] + (rng.random(len(of)) * 110 * NS_PER_HOUR).astype(np.int64)
    away = rng.random(len(of)) < 0.2
    payer = np.where(away, NONE, partners(scene, account, ANY_PERSON, rng, 0.1))
    origin = np.where(away, foreign_countries(home[of], rng), NONE)
    paid = move(scene, begin, payer, account, usd, rng, span_h=20.0, country=origin)
    of, usd = split(heart, 2, 5, rng, 0.5)
    account = heart.account[of]
    begin = heart.begin_ns[of] + (rng.random(len(of)) * 130 * NS_PER_HOUR).astype(np.int64)
    payee = partners(scene, account, ANY_FIRM, rng, 0.1)
    return join([paid, move(scene, begin, account, payee, usd * rng.uniform(0.4, 1.0, len(of)), rng, span_h=40.0)])


LOOK_ALIKE = LookAlike("new_venture", 0.044, occur)
