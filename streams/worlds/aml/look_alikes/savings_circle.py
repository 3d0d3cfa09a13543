"""Savings circle: friends pay into a pot, and one of them gets it.

Resembles: cycles, smurfing, gather-scatter.
"""

import numpy as np

from streams.worlds.aml.drafts import CASH_IN, NONE, Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import latest, move
from streams.worlds.aml.relations import ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let members bring their part, some of it as cash before, and one be paid out."""
    heart = occasions(scene, since_ns, events / 7.5, ANY_PERSON, rng, lift=0.8)
    of, usd = split(heart, 4, 7, rng, 0.02)
    member = partners(scene, heart.account[of], ANY_PERSON, rng, 0.7)
    by_cash = np.flatnonzero(rng.random(len(of)) < 0.3)
    nobody = np.full(len(by_cash), NONE)
    begin = heart.begin_ns[of]
    brought = move(
        scene, begin[by_cash], nobody, member[by_cash], usd[by_cash], rng, span_h=30.0, channel=CASH_IN, round_share=0.8
    )
    begin[by_cash] = brought.time_ns
    paid = move(scene, begin, member, heart.account[of], usd, rng, span_h=60.0, round_share=0.8)
    ready = latest(paid.time_ns, of, len(heart))
    first = np.searchsorted(of, np.arange(len(heart)))
    out = move(scene, ready, heart.account, member[first] if len(of) else first, heart.usd, rng, span_h=40.0)
    return join([brought, paid, out])


LOOK_ALIKE = LookAlike("savings_circle", 0.035, occur)
