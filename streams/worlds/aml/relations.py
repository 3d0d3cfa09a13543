"""Standing relations: who pays whom, by what, how often and how much; genuine life is drawn from them."""

from dataclasses import dataclass, field, fields, replace

import numpy as np

from streams.worlds.aml.drafts import NONE
from streams.worlds.aml.flows import CODE, FLOWS
from streams.worlds.aml.population import Population
from streams.worlds.arrays import Floats, Ints

ANY_PERSON, ANY_SHOP, ANY_FIRM = -2, -3, -4
"""Instead of an account: somebody else each time, of the market of the other side."""
SHOP_SKEW = 1.7
WEEKS_PER_MONTH = 30.4375 / 7
ONCE_A_MONTH = 1 / WEEKS_PER_MONTH


@dataclass(frozen=True, slots=True)
class Relations:
    """Columns over relations. `payer` and `payee` are accounts, -1 outside, or ANY_…; `flow` a code of `flows.FLOWS`,
    `usd` the median amount, `per_week` how often, `country` the outside party's (-1: cash, or nobody outside).
    """

    payer: Ints
    payee: Ints
    flow: Ints
    channel: Ints
    usd: Floats
    per_week: Floats
    country: Ints

    def __len__(self) -> int:
        """Count the relations."""
        return len(self.payer)

    def paced(self, activity: float) -> "Relations":
        """Let everybody pay `activity` times as often, and less each time: months' sums stay the same."""
        often = np.where(np.array([flow.monthly for flow in FLOWS])[self.flow], 1.0, activity)
        return replace(self, usd=self.usd / often, per_week=self.per_week * often)

    def monthly_usd(self, mean_factor: Floats) -> Floats:
        """Return the dollars a relation moves in a month, `mean_factor` [flows] being mean over median."""
        result: Floats = self.usd * mean_factor[self.flow] * self.per_week * WEEKS_PER_MONTH
        return result


@dataclass(slots=True)
class RelationBook:
    """Collects relations column by column, kind after kind."""

    parts: list[Relations] = field(default_factory=list)

    def add(
        self,
        flow: str,
        payer: Ints | int,
        payee: Ints | int,
        channel: Ints | int,
        usd: Floats | float,
        per_week: Floats | float = ONCE_A_MONTH,
        country: Ints | int = NONE,
    ) -> None:
        """Enter relations of one kind; single values are for all of them."""
        columns = np.broadcast_arrays(payer, payee, CODE[flow], channel, country, usd, per_week)
        from_account, to_account, code, way, where = (np.array(values, np.int64) for values in columns[:5])
        dollars, often = (np.array(values, np.float64) for values in columns[5:])
        self.parts.append(Relations(from_account, to_account, code, way, dollars, often, where))

    def close(self) -> Relations:
        """Return all relations entered so far."""
        return Relations(
            **{
                entry.name: np.concatenate([getattr(part, entry.name) for part in self.parts])
                for entry in fields(Relations)
            }
        )


def anybody(population: Population, kind: Ints, country: Ints, rng: np.random.Generator) -> Ints:
    """Draw somebody of each kind (ANY_…) in each country: account codes, int64 [n]. Large shops are drawn most."""
    u = rng.random(len(kind))
    of_people = kind == ANY_PERSON
    first = np.where(of_people, population.people_from[country], population.firms_from[country])
    size = np.where(of_people, population.people[country], population.firms[country])
    at_shop = kind == ANY_SHOP
    size = np.where(at_shop, population.shops[country], size)
    u = np.where(at_shop, u**SHOP_SKEW, u)
    found: Ints = first + (u * size).astype(np.int64)
    return found


def some_abroad(population: Population, country: Ints, share: float, rng: np.random.Generator) -> Ints:
    """Replace a share of the countries by any market, by the number of people there."""
    away = np.flatnonzero(rng.random(len(country)) < share)
    cumulated = np.cumsum(population.people)
    found = country.copy()
    found[away] = np.searchsorted(cumulated, rng.random(len(away)) * cumulated[-1], side="right")
    return found


def shop_shares(population: Population, country: int) -> Floats:
    """Return the share of each of a country's shops among ANY_SHOP payments, in the order of accounts."""
    edges = np.linspace(0, 1, int(population.shops[country]) + 1) ** (1 / SHOP_SKEW)
    return np.diff(edges)
