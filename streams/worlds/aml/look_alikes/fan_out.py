"""Fan-out: a bonus for staff, an event's bills, presents: one account pays many within days.

Resembles: fan-out, payroll integration.
"""

import numpy as np

from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let people and businesses pay many."""
    drafts = []
    for kind, part in ((ANY_PERSON, 0.55), (ANY_FIRM, 0.45)):
        heart = occasions(scene, since_ns, part * events / 7.0, kind, rng)
        of, usd = split(heart, 4, 10, rng, 0.3)
        account = heart.account[of]
        payee = partners(scene, account, ANY_PERSON, rng)
        drafts.append(move(scene, heart.begin_ns[of], account, payee, usd, rng, span_h=70.0))
    return join(drafts)


LOOK_ALIKE = LookAlike("fan_out", 0.071, occur)
