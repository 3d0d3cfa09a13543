"""Cash withdrawals: a renovation, a journey, a wedding: somebody pays in and draws cash for days.

Resembles: cash-out bursts, funnel accounts.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_OUT, NONE, Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let people draw cash many times within days, some of them after money has come."""
    heart = occasions(scene, since_ns, events / 7.0, ANY_PERSON, rng)
    before = np.flatnonzero(rng.random(len(heart)) < 0.6)
    account = heart.account[before]
    giver = partners(scene, account, ANY_PERSON, rng)
    got = move(scene, heart.begin_ns[before], giver, account, heart.usd[before], rng, span_h=20.0)
    of, usd = split(heart, 4, 9, rng, 0.4)
    begin = heart.begin_ns.copy()
    begin[before] = got.time_ns
    nobody = np.full(len(of), NONE)
    drawn = move(scene, begin[of], heart.account[of], nobody, usd, rng, span_h=90.0, channel=CASH_OUT, round_share=0.9)
    return join([got, drawn])


LOOK_ALIKE = LookAlike("cash_withdrawals", 0.035, occur)
