"""Single large: a flat sold, an inheritance, a car: one sum far above habit, and soon another.

Resembles: single large transfers, changes of behaviour, loan-back.
"""

import numpy as np

from streams.worlds.aml.drafts import NONE, Drafts, join
from streams.worlds.aml.household import foreign_countries
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let a large sum come, from anywhere, and most of it go."""
    drafts = []
    for kind, part in ((ANY_PERSON, 0.7), (ANY_FIRM, 0.3)):
        heart = occasions(scene, since_ns, part * events / 3.0, kind, rng, lift=2.5)
        home = scene.population.country(heart.account)
        away = rng.random(len(heart)) < 0.3
        country = np.where(away, foreign_countries(home, rng), home)
        payer = np.where(rng.random(len(heart)) < 0.5, partners(scene, heart.account, ANY_FIRM, rng), NONE)
        got = move(scene, heart.begin_ns, payer, heart.account, heart.usd, rng, span_h=20.0, country=country)
        of, usd = split(heart, 1, 3, rng, 0.4)
        payee = partners(scene, heart.account[of], ANY_FIRM, rng)
        usd = usd * rng.uniform(0.5, 1.0, len(of))
        drafts += [got, move(scene, got.time_ns[of], heart.account[of], payee, usd, rng, span_h=110.0)]
    return join(drafts)


LOOK_ALIKE = LookAlike("single_large", 0.049, occur)
