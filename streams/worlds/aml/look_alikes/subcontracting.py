"""Subcontracting: a builder pays several subcontractors, and they buy from the same supplier.

Resembles: scatter-gather, stacks, layered fans.
"""

import numpy as np

from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let a job's money go down two steps."""
    drafts = []
    for kind, part in ((ANY_PERSON, 0.45), (ANY_FIRM, 0.55)):
        heart = occasions(scene, since_ns, part * events / 8.0, kind, rng)
        supplier = partners(scene, heart.account, ANY_FIRM, rng)
        of, usd = split(heart, 3, 6, rng, 0.4)
        middle = partners(scene, heart.account[of], kind, rng)
        got = move(scene, heart.begin_ns[of], heart.account[of], middle, usd, rng, span_h=50.0)
        usd = usd * rng.uniform(0.5, 0.97, len(of))
        drafts += [got, move(scene, got.time_ns, middle, supplier[of], usd, rng, span_h=70.0)]
    return join(drafts)


LOOK_ALIKE = LookAlike("subcontracting", 0.056, occur)
