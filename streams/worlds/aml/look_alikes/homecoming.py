"""Homecoming: an account silent for years is used again: somebody has come back, or has inherited it.

Resembles: dormant reactivation.
"""

import numpy as np

from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import latest, move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let dormant accounts be filled and used."""
    silent = np.flatnonzero(scene.population.dormant)
    heart = occasions(scene, since_ns, events / 5.0 if len(silent) else 0.0, ANY_PERSON, rng)
    account = silent[rng.integers(0, max(len(silent), 1), len(heart))] if len(heart) else heart.account
    of, usd = split(heart, 1, 4, rng, 0.4)
    own = scene.population.customer[account][of]
    payer = np.where(rng.random(len(of)) < 0.6, own, partners(scene, own, ANY_PERSON, rng))
    paid = move(scene, heart.begin_ns[of], payer, account[of], usd, rng, span_h=60.0)
    ready = latest(paid.time_ns, of, len(heart))
    of, usd = split(heart, 1, 4, rng, 0.4)
    own = scene.population.customer[account][of]
    payee = np.where(rng.random(len(of)) < 0.3, own, partners(scene, own, ANY_FIRM, rng))
    usd = usd * rng.uniform(0.5, 1.0, len(of))
    return join([paid, move(scene, ready[of], account[of], payee, usd, rng, span_h=100.0)])


LOOK_ALIKE = LookAlike("homecoming", 0.03, occur)
