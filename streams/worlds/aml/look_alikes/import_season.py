"""Import season: a trader orders far more than usual from abroad, from suppliers old and new.

Resembles: over-invoicing, changes of behaviour, corridors.
"""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import NONE, WIRE, Drafts, join
from streams.worlds.aml.household import foreign_countries
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, split
from streams.worlds.aml.moves import latest, move
from streams.worlds.aml.relations import ANY_FIRM
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let businesses pay suppliers abroad several times; some of it is paid back."""
    heart = occasions(scene, since_ns, events / 4.5, ANY_FIRM, rng, lift=1.2)
    country = foreign_countries(scene.population.country(heart.account), rng, high_risk_share=0.2)
    of, usd = split(heart, 3, 6, rng, 0.35)
    begin = heart.begin_ns[of] + (rng.random(len(of)) * 100 * NS_PER_HOUR).astype(np.int64)
    nobody = np.full(len(of), NONE)
    paid = move(scene, begin, heart.account[of], nobody, usd, rng, span_h=24.0, channel=WIRE, country=country[of])
    back = np.flatnonzero(rng.random(len(heart)) < 0.25)
    usd = heart.usd[back] * rng.uniform(0.1, 0.5, len(back))
    ready = latest(paid.time_ns, of, len(heart))[back]
    nobody = np.full(len(back), NONE)
    refund = move(scene, ready, nobody, heart.account[back], usd, rng, span_h=90.0, country=country[back])
    return join([paid, refund])


LOOK_ALIKE = LookAlike("import_season", 0.044, occur)
