"""Mutual: two lend to one another and pay back, again and again.

Resembles: loan-back, round trips, hawala.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let pairs pay to and fro."""
    drafts = []
    for kind, part in ((ANY_PERSON, 0.6), (ANY_FIRM, 0.4)):
        heart = occasions(scene, since_ns, part * events / 4.5, kind, rng)
        other = partners(scene, heart.account, kind, rng, 0.6)
        of, usd = split(heart, 3, 6, rng, 0.3)
        first = np.searchsorted(of, np.arange(len(heart)))
        turn = (np.arange(len(of)) - first[of]) % 2 == 0
        begin = heart.begin_ns[of] + (np.arange(len(of)) - first[of]) * 24 * NS_PER_HOUR
        payer = np.where(turn, heart.account[of], other[of])
        drafts.append(move(scene, begin, payer, np.where(turn, other[of], heart.account[of]), usd, rng, span_h=30.0))
    return join(drafts)


LOOK_ALIKE = LookAlike("mutual", 0.053, occur)
