"""Shareholder loan: an owner lends to the firm and is paid back, or the firm borrows from abroad and repays.

Resembles: loan-back, over-invoicing, round trips.
"""

from dataclasses import replace

import numpy as np

from streams.worlds.aml.drafts import NONE, Drafts, join
from streams.worlds.aml.household import foreign_countries
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene

OWN_MONTHS = 1.5
"""What an owner can lend, in months of what goes through the account."""


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let money be lent and come back in parts."""
    heart = occasions(scene, since_ns, events / 4.0, ANY_FIRM, rng)
    home = scene.population.country(heart.account)
    country = foreign_countries(home, rng)
    owner = np.where(rng.random(len(heart)) < 0.35, NONE, partners(scene, heart.account, ANY_PERSON, rng, 0.6))
    most = np.where(owner == NONE, np.inf, OWN_MONTHS * scene.turnover_usd[owner])
    heart = replace(heart, usd=np.minimum(heart.usd, most))
    lent = move(
        scene, heart.begin_ns, owner, heart.account, heart.usd, rng, span_h=30.0, country=country, round_share=0.7
    )
    of, usd = split(heart, 2, 4, rng, 0.3)
    usd = usd * rng.uniform(0.2, 1.0, len(heart))[of]
    back = move(scene, lent.time_ns[of], heart.account[of], owner[of], usd, rng, span_h=150.0, country=country[of])
    return join([lent, back])


LOOK_ALIKE = LookAlike("shareholder_loan", 0.035, occur)
