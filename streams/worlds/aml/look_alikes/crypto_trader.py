"""Crypto trader: somebody buys and sells virtual assets in bursts, with money of friends or of savings.

Resembles: virtual-asset ramps, peel chains.
"""

import numpy as np

from streams.worlds.aml.drafts import NONE, VIRTUAL_ASSET, Drafts, join
from streams.worlds.aml.household import foreign_countries
from streams.worlds.aml.look_alikes.look_alike import LookAlike, occasions, partners, split
from streams.worlds.aml.moves import move
from streams.worlds.aml.relations import ANY_PERSON
from streams.worlds.aml.scene import Scene


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let traders get money, buy in parts, or sell and share."""
    heart = occasions(scene, since_ns, events / 5.5, ANY_PERSON, rng)
    home = scene.population.country(heart.account)
    country = np.where(rng.random(len(heart)) < 0.5, home, foreign_countries(home, rng))
    sells = rng.random(len(heart)) < 0.4
    of, usd = split(heart, 1, 4, rng, 0.4)
    account, nobody = heart.account[of], np.full(len(of), NONE)
    friend = partners(scene, account, ANY_PERSON, rng, 0.6)
    gives = ~sells[of]
    given = move(scene, heart.begin_ns[of][gives], friend[gives], account[gives], usd[gives], rng, span_h=50.0)
    begin = heart.begin_ns[of]
    begin[gives] = given.time_ns
    payer, payee = np.where(gives, account, nobody), np.where(gives, nobody, account)
    traded = move(scene, begin, payer, payee, usd, rng, span_h=50.0, channel=VIRTUAL_ASSET, country=country[of])
    shared = np.flatnonzero(~gives & (rng.random(len(of)) < 0.7))
    usd = usd[shared] * rng.uniform(0.2, 0.9, len(shared))
    after = move(scene, traded.time_ns[shared], account[shared], friend[shared], usd, rng, span_h=40.0)
    return join([given, traded, after])


LOOK_ALIKE = LookAlike("crypto_trader", 0.035, occur)
