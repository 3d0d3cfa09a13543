"""What genuine customers, look-alikes and launderers all draw from: the same accounts, amounts, channels and hours.

Launderers use the same functions as genuine payers wherever they can, so that no single column gives them away.
"""

from dataclasses import dataclass

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.aml.calendar import TIMING_OF_CHANNEL, Calendar
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.drafts import CARD, CASH_IN, CASH_OUT, NONE, Drafts, draft
from streams.worlds.aml.nations import MINOR_PER_USD
from streams.worlds.aml.population import Population
from streams.worlds.aml.relations import Relations
from streams.worlds.arrays import Flags, Floats, Ints

AMOUNT_MIN_USD, AMOUNT_MAX_USD = 1.0, 50_000_000.0
SETTLED_NS = 14 * NS_PER_DAY
"""Accounts are drawn for campaigns from this age on."""


@dataclass(frozen=True, slots=True)
class Dealings:
    """Whom accounts have dealt with before, or which countries abroad, by codes, grouped by account: those of `a` are
    `who[start[a]:start[a + 1]]`.
    """

    start: Ints
    who: Ints

    def any_of(self, accounts: Ints, rng: np.random.Generator) -> Ints:
        """Draw one of each account, -1 where it has none."""
        size = self.start[accounts + 1] - self.start[accounts]
        at = self.start[accounts] + (rng.random(len(accounts)) * size).astype(np.int64)
        if not len(self.who):
            return np.full(len(accounts), NONE)
        return np.where(size > 0, self.who[np.minimum(at, len(self.who) - 1)], NONE)


@dataclass(frozen=True, slots=True)
class Scene:
    """The world as campaigns see it; nothing in it changes. `turnover_usd` is what goes through each account in a mean
    month, both directions; `declared_usd` is what its customer said of it.
    """

    config: AmlWorldConfig
    population: Population
    relations: Relations
    acquaintances: Dealings
    corridors: Dealings
    calendar: Calendar
    turnover_usd: Floats
    declared_usd: Floats
    salt: int

    def pay(
        self,
        time_ns: Ints,
        payer: Ints,
        payee: Ints,
        channel: Ints,
        usd: Floats,
        rng: np.random.Generator,
        *,
        country: Ints | int = NONE,
        round_share: Floats | float = 0.3,
    ) -> Drafts:
        """Put transfers together. `country` is the outside party's where one side is -1; cash has none. Amounts become
        minor units of the sending currency, by `round_share` in round sums.
        """
        from_country = np.where(payer >= 0, self.population.country(payer), country)
        to_country = np.where(payee >= 0, self.population.country(payee), country)
        is_cash = (channel == CASH_IN) | (channel == CASH_OUT)
        from_country = np.where(is_cash & (payer < 0), NONE, from_country)
        to_country = np.where(is_cash & (payee < 0), NONE, to_country)
        priced_in = np.where(from_country >= 0, from_country, to_country)
        amount = _priced(np.clip(usd, AMOUNT_MIN_USD, AMOUNT_MAX_USD) * MINOR_PER_USD[priced_in], round_share, rng)
        return draft(time_ns, payer, payee, channel, amount, from_country, to_country)

    def settled(self, time_ns: Ints, payer: Ints, payee: Ints, channel: Ints) -> Ints:
        """Move instants to hours at which the payer (or, for money from outside, the payee) uses the channels."""
        country = self.population.country(np.where(payer >= 0, payer, payee))
        return self.calendar.settled(time_ns, country, TIMING_OF_CHANNEL[channel])

    def opened(self, drafts: Drafts) -> Flags:
        """Whether both accounts are open at the time."""
        opened = np.append(self.population.opened_at_ns, 0)  # -1, nobody, is always there
        return (drafts.time_ns >= opened[drafts.from_account]) & (drafts.time_ns >= opened[drafts.to_account])


def _priced(minor: Floats, round_share: Floats | float, rng: np.random.Generator) -> Ints:
    """Round to two digits by `round_share` (large ones half the time to a five), others to the unit or not at all."""
    u = rng.random(len(minor))
    step = 10.0 ** np.floor(np.log10(np.maximum(minor, 10.0)) - 1.0)
    step = np.where((u < 0.5 * round_share) & (minor >= 50.0 * step), 5.0 * step, step)
    step = np.where(u < round_share, step, np.where(u > 0.75, 100.0, 1.0))
    rounded = np.round(minor / step) * step
    result: Ints = np.maximum(np.where(rounded > 0, rounded, minor), 1.0).astype(np.int64)
    return result


def acquaint(population: Population, relations: Relations) -> Dealings:
    """Group relations between known accounts by account, both ways."""
    known = (relations.payer >= 0) & (relations.payee >= 0)
    one = np.concatenate((relations.payer[known], relations.payee[known]))
    other = np.concatenate((relations.payee[known], relations.payer[known]))
    return _grouped(population, one, other)


def corridors_of(population: Population, relations: Relations) -> Dealings:
    """Group the countries abroad that accounts pay, or are paid from, as a rule, but for what they buy by card."""
    payer, payee = relations.payer, relations.payee
    one = np.where(payer >= 0, population.country(payer), relations.country)
    other = np.where(payee >= 0, population.country(payee), relations.country)
    abroad = (one >= 0) & (other >= 0) & (one != other) & (relations.channel != CARD)
    paid, got = abroad & (payer >= 0), abroad & (payee >= 0)
    accounts = np.concatenate((payer[paid], payee[got]))
    return _grouped(population, accounts, np.concatenate((other[paid], one[got])))


def _grouped(population: Population, accounts: Ints, who: Ints) -> Dealings:
    order = np.argsort(accounts, kind="stable")
    start = np.searchsorted(accounts[order], np.arange(population.accounts + 1))
    return Dealings(start.astype(np.int64), who[order])
