"""What a look-alike is: genuine behaviour with the shape of laundering; and what all of them draw from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streams.worlds.aml.config import BLOCK_NS
from streams.worlds.aml.drafts import NONE, Drafts
from streams.worlds.aml.relations import ANY_PERSON, anybody, some_abroad
from streams.worlds.aml.scene import Scene
from streams.worlds.arrays import Floats, Ints

Occur = Callable[[Scene, int, float, np.random.Generator], Drafts]
REDRAWN = 2
"""How often somebody else is looked for whose account is open."""
KNOWN_SHARE = 0.75
"""How many of those whom somebody pays outside of routine are acquaintances."""
ABROAD_SHARE = 0.08
"""Of the others, those who live in any market."""
PERSON_MAX_USD, FIRM_MAX_USD = 60_000.0, 900_000.0


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Genuine behaviour that imitates laundering. `share` is its default share of the look-alikes' transfers.

    `occur(scene, since_ns, events, rng)` returns about `events` transfers that begin in the block of event time that
    starts at `since_ns`; some may be made days later.
    """

    name: str
    share: float
    occur: Occur


@dataclass(frozen=True, slots=True)
class Occasions:
    """Columns over occasions: who is at the heart of each, when it begins, and how much money it is about."""

    account: Ints
    begin_ns: Ints
    usd: Floats

    def __len__(self) -> int:
        """Count the occasions."""
        return len(self.account)


def occasions(
    scene: Scene, since_ns: int, expected: float, kind: int, rng: np.random.Generator, *, lift: float = 1.0
) -> Occasions:
    """Draw about `expected` occasions in a block, of anybody of a kind (ANY_…), busy or not; sums are around a third of
    a month's turnover, times `lift`.
    """
    count = int(rng.poisson(expected))
    population = scene.population
    markets = np.flatnonzero(population.people)
    country = rng.choice(markets, count, p=population.people[markets] / population.people.sum())
    account = anybody(population, np.full(count, kind), country, rng)
    for _ in range(REDRAWN):
        closed = np.flatnonzero(population.opened_at_ns[account] > since_ns)
        account[closed] = anybody(population, np.full(len(closed), kind), country[closed], rng)
    usd = lift * 0.45 * scene.turnover_usd[account] * np.exp(0.75 * rng.standard_normal(count))
    most = np.where(population.is_business[population.customer[account]], FIRM_MAX_USD, PERSON_MAX_USD)
    begin_ns = since_ns + (rng.random(count) * BLOCK_NS).astype(np.int64)
    return Occasions(account, begin_ns, np.clip(usd, 300.0, most))


def partners(
    scene: Scene, accounts: Ints, kind: int, rng: np.random.Generator, known_share: float = KNOWN_SHARE
) -> Ints:
    """Draw somebody of a kind (ANY_…) for each account to deal with: by a share an acquaintance, else anybody near."""
    country = some_abroad(scene.population, scene.population.country(accounts), ABROAD_SHARE, rng)
    strangers = anybody(scene.population, np.full(len(accounts), kind), country, rng)
    known = scene.acquaintances.any_of(accounts, rng)
    suits = scene.population.is_business[scene.population.customer[known]] == (kind != ANY_PERSON)
    return np.where((rng.random(len(accounts)) < known_share) & (known != NONE) & suits, known, strangers)


def split(
    occasion: Occasions, low: int, high: int, rng: np.random.Generator, sigma: float = 0.3
) -> tuple[Ints, Floats]:
    """Split each occasion's sum into `low` to `high` parts: the occasion of each part, and dollars."""
    size = rng.integers(low, high + 1, len(occasion))
    of = np.repeat(np.arange(len(occasion)), size)
    weight = np.exp(sigma * rng.standard_normal(len(of)))
    total = np.bincount(of, weights=weight, minlength=len(occasion))
    return of, occasion.usd[of] * weight / total[of]
