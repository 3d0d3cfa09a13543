"""Forward: money is passed on for somebody else: parents and a landlord, a lawyer's client account, a shared bill.

Resembles: rapid pass-through, deposit and send, random walks, mules.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let people and businesses get money and pass it on within a day or so, once or a few times."""
    drafts = []
    for kind, part in ((ANY_PERSON, 0.6), (ANY_FIRM, 0.4)):
        heart = occasions(scene, since_ns, part * events / 4.5, kind, rng)
        of, usd = split(heart, 1, 4, rng, 0.4)
        account = heart.account[of]
        begin = heart.begin_ns[of] + (rng.random(len(of)) * 140 * NS_PER_HOUR).astype(np.int64)
        paid = move(scene, begin, partners(scene, account, ANY_PERSON, rng), account, usd, rng, span_h=10.0)
        on = usd * rng.uniform(0.7, 1.02, len(usd))
        payee = partners(scene, account, kind, rng)
        drafts += [paid, move(scene, paid.time_ns, account, payee, on, rng, span_h=30.0)]
    return join(drafts)


LOOK_ALIKE = LookAlike("forward", 0.074, occur)
