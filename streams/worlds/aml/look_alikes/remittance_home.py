"""Remittance home: people who work abroad send money home, part of it paid in as cash; their kin get it from abroad.

Resembles: deposit and send, high-risk corridors, cuckoo smurfing.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import CASH_IN, NONE, Drafts, join
from streams.worlds.aml.household import foreign_countries
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let people send to one country several times, some after bringing cash."""
    heart = occasions(scene, since_ns, events / 4.5, ANY_PERSON, rng)
    of, usd = split(heart, 1, 5, rng, 0.3)
    account = heart.account[of]
    country = foreign_countries(scene.population.country(heart.account), rng, high_risk_share=0.5)[of]
    begin = heart.begin_ns[of] + (rng.random(len(of)) * 120 * NS_PER_HOUR).astype(np.int64)
    cash = np.flatnonzero(rng.random(len(of)) < 0.45)
    nobody = np.full(len(of), NONE)
    brought = move(
        scene, begin[cash], nobody[cash], account[cash], usd[cash], rng, span_h=12.0, channel=CASH_IN, round_share=0.7
    )
    begin[cash] = brought.time_ns
    inward = (rng.random(len(heart)) < 0.25)[of]
    payer, payee = np.where(inward, NONE, account), np.where(inward, account, NONE)
    return join([brought, move(scene, begin, payer, payee, usd * 0.97, rng, span_h=40.0, country=country)])


LOOK_ALIKE = LookAlike("remittance_home", 0.044, occur)
