"""Integration: what launderers keep is spent, saved and invested as anybody's money is; it has no pattern's shape."""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.aml.drafts import CARD, CASH_OUT, NONE, VIRTUAL_ASSET, Drafts, join
from streams.worlds.aml.moves import move, parts
from streams.worlds.aml.plot import Proceeds
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON, ANY_SHOP, anybody
from streams.worlds.aml.scene import Scene
from streams.worlds.arrays import Ints

TRANSFERS_MIN, TRANSFERS_MAX = 1, 3
SPAN_DAYS = 8.0
SPENT_SHARE = 0.55
"""Of what was kept; the rest lies still, as far as anybody sees."""
LIFESTYLE_SHARE = 0.5
"""Of the transfers, those that are no larger than what the account pays anyway."""
_SHOPPING, _PURCHASE, _CASH, _OWN, _FRIENDS, _ASSETS = range(6)
_WAYS = np.array([0.42, 0.22, 0.12, 0.06, 0.14, 0.04])
_FIRST_WAYS = np.array([0.0, 0.5, 0.1, 0.08, 0.26, 0.06])
"""Of one payment in each go: more than shopping."""


def integrate(scene: Scene, proceeds: Proceeds, rng: np.random.Generator, *, least: int = TRANSFERS_MIN) -> Drafts:
    """Spend what was kept, or pass it on: a few payments within days, `least` to `TRANSFERS_MAX`, by the ways, at the
    hours of everyday life.
    """
    count = int(rng.integers(least, TRANSFERS_MAX + 1))
    ways = rng.choice(len(_WAYS), count, p=_WAYS)
    ways[rng.integers(0, count)] = rng.choice(len(_FIRST_WAYS), p=_FIRST_WAYS)
    large = parts(SPENT_SHARE * proceeds.usd, count, rng, 0.6)
    usual = 0.03 * scene.turnover_usd[proceeds.account] * np.exp(0.8 * rng.standard_normal(count))
    usd = np.where(rng.random(count) < LIFESTYLE_SHARE, np.minimum(usual, large), large)
    usd = np.where((ways == _SHOPPING) | (ways == _CASH), np.minimum(usd, usual * 3 + 60.0), usd)
    begun = proceeds.from_ns + (rng.random() * 36 * NS_PER_HOUR)
    after_ns = (begun + np.sort(rng.random(count)) * SPAN_DAYS * NS_PER_DAY).astype(np.int64)
    drafts = []
    for way in np.unique(ways).tolist():
        rows = ways == way
        payee, channel = _payees(scene, proceeds.account, way, int(rows.sum()), rng)
        payer = np.full(len(payee), proceeds.account)
        country = scene.population.country(payer)
        drafts.append(
            move(scene, after_ns[rows], payer, payee, usd[rows], rng, span_h=8.0, channel=channel, country=country)
        )
    return join(drafts)


def _payees(scene: Scene, account: int, way: int, count: int, rng: np.random.Generator) -> tuple[Ints, int | None]:
    """Whom the account pays in a way, and the channel if the way has one of its own."""
    population = scene.population
    country = population.country(np.full(count, account))
    if way == _OWN:
        own = int(population.customer[account])
        second = int(population.second[own])
        other = second if account == own else own
        if other != NONE:
            return np.full(count, other), None
    if way == _FRIENDS:
        known = scene.acquaintances.any_of(np.full(count, account), rng)
        return np.where(known == NONE, anybody(population, np.full(count, ANY_PERSON), country, rng), known), None
    if way == _SHOPPING:
        return anybody(population, np.full(count, ANY_SHOP), country, rng), CARD
    if way == _CASH:
        return np.full(count, NONE), CASH_OUT
    if way == _ASSETS:
        return np.full(count, NONE), VIRTUAL_ASSET
    return anybody(population, np.full(count, ANY_FIRM), country, rng), None
