"""Treasury sweep: companies of a group move cash between themselves and back, within a day or two.

Resembles: round trips through shells, cycles, stacks, rapid pass-through.
"""

import numpy as np

from streams.worlds.aml.drafts import Drafts, join
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_FIRM
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let a ring of companies pass money round, at times not quite back."""
    heart = occasions(scene, since_ns, events / 4.0, ANY_FIRM, rng)
    length = rng.integers(2, 6, len(heart))
    members = partners(scene, np.repeat(heart.account, 5), ANY_FIRM, rng, 0.5).reshape(-1, 5)
    payer, now, usd = heart.account, heart.begin_ns, heart.usd
    drafts = []
    for step in range(5):
        going = np.flatnonzero(step < length)
        back = (step == length - 1) & (rng.random(len(heart)) < 0.7)
        payee = np.where(back, heart.account, members[:, step])
        paid = move(scene, now[going], payer[going], payee[going], usd[going], rng, span_h=36.0)
        now = now.copy()
        now[going] = paid.time_ns
        payer, usd = payee, usd * rng.uniform(0.75, 1.05, len(heart))
        drafts.append(paid)
    return join(drafts)


LOOK_ALIKE = LookAlike("treasury_sweep", 0.044, occur)
