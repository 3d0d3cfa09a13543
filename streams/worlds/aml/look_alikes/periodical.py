"""Periodical: an instalment every day or two: a builder, lessons, a debt; equal round sums.

Resembles: structuring, corridors, payroll integration.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let people and businesses pay the same sum several times."""
    drafts = []
    for kind, part in ((ANY_PERSON, 0.6), (ANY_FIRM, 0.4)):
        heart = occasions(scene, since_ns, part * events / 4.5, kind, rng)
        of, usd = split(heart, 3, 6, rng, 0.02)
        first = np.searchsorted(of, np.arange(len(heart)))
        begin = heart.begin_ns[of] + (np.arange(len(of)) - first[of]) * 40 * NS_PER_HOUR
        payee = partners(scene, heart.account, kind, rng)[of]
        drafts.append(move(scene, begin, heart.account[of], payee, usd, rng, span_h=4.0, round_share=0.7))
    return join(drafts)


LOOK_ALIKE = LookAlike("periodical", 0.053, occur)
