"""What people pay and get as a rule: wages, pensions, rent, bills, shopping, cash, family, friends, money sent home."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.aml.drafts import CARD, CASH_IN, CASH_OUT, CHEQUE, INSTANT, NONE, VIRTUAL_ASSET, WIRE
from streams.worlds.aml.nations import IS_HIGH_RISK
from streams.worlds.aml.population import Population
from streams.worlds.aml.relations import ANY_PERSON, ANY_SHOP, RelationBook, anybody
from streams.worlds.aml.segments import BUSINESS_FROM, CODE, INDUSTRY_NAMES, industry_trait, trait
from streams.worlds.arrays import Flags, Floats, Ints

KNOWN_EMPLOYER_SHARE = 0.75
FRIENDS = 3
_UTILITY = BUSINESS_FROM + INDUSTRY_NAMES.index("utility")
_REAL_ESTATE = BUSINESS_FROM + INDUSTRY_NAMES.index("real_estate")
HIGH_RISK_SHARE = 0.12
"""Of payments over borders, those to or from high-risk countries."""


@dataclass(frozen=True, slots=True)
class _People:
    """Columns over people : accounts, countries, segments, monthly income."""

    account: Ints
    country: Ints
    segment: Ints
    income: Floats

    def trait(self, name: str) -> Floats:
        result: Floats = trait(name)[self.segment]
        return result

    def take(self, chosen: Flags) -> "_People":
        return _People(self.account[chosen], self.country[chosen], self.segment[chosen], self.income[chosen])

    def __len__(self) -> int:
        return len(self.account)


def either(count: int, share: float, one: int, other: int, rng: np.random.Generator) -> Ints:
    """Choose `one` by `share`, else `other`: int64 [count]."""
    return np.where(rng.random(count) < share, one, other)


def foreign_countries(home: Ints, rng: np.random.Generator, high_risk_share: float = HIGH_RISK_SHARE) -> Ints:
    """Draw another country for each home country, a high-risk one by its share."""
    risky, usual = np.flatnonzero(IS_HIGH_RISK), np.flatnonzero(~IS_HIGH_RISK)
    if not len(risky):
        risky = usual
    chosen = usual[rng.integers(0, len(usual), len(home))]
    chosen = np.where(chosen == home, usual[(np.searchsorted(usual, home) + 1) % len(usual)], chosen)
    other = risky[rng.integers(0, len(risky), len(home))]
    return np.where((rng.random(len(home)) < high_risk_share) & (other != home), other, chosen)


def enter_households(book: RelationBook, population: Population, rng: np.random.Generator) -> None:
    """Enter everything that people do as a rule."""
    living = np.flatnonzero(~population.is_business)
    people = _People(living, population.market[living], population.segment[living], population.monthly_usd[living])
    _income(book, population, people, rng)
    _dwelling(book, population, people, rng)
    _shopping(book, population, people, rng)
    _friends(book, population, people, rng)
    _abroad(book, population, people, rng)
    _savings(book, population, people, rng)


def _income(book: RelationBook, population: Population, people: _People, rng: np.random.Generator) -> None:
    salaried = rng.random(len(people)) < people.trait("salaried")
    known = salaried & (rng.random(len(people)) < KNOWN_EMPLOYER_SHARE)
    staff = people.take(known)
    book.add("salary", _employers(population, staff.country, rng), staff.account, WIRE, staff.income)
    others = people.take(salaried & ~known)
    book.add("salary", NONE, others.account, WIRE, others.income, country=others.country)
    retired = people.take(people.segment == CODE["retired"])
    book.add("pension", NONE, retired.account, WIRE, retired.income, country=retired.country)


def _employers(population: Population, country: Ints, rng: np.random.Generator) -> Ints:
    """Draw employers at home by turnover and need of staff; shells have none."""
    found = np.zeros(len(country), np.int64)
    for market in np.unique(country):
        here = np.flatnonzero(country == market)
        firms = population.firms_from[market] + np.arange(population.firms[market])
        staff = industry_trait("staff")[population.segment[firms] - BUSINESS_FROM]
        weight = population.monthly_usd[firms] ** 0.8 * staff * ~population.is_shell[firms]
        found[here] = rng.choice(firms, len(here), p=weight / weight.sum())
    return found


def _of_industry(population: Population, country: Ints, industry: int, rng: np.random.Generator) -> Ints:
    """Draw a business of an industry at home, any business where there is none."""
    found = np.zeros(len(country), np.int64)
    for market in np.unique(country):
        here = np.flatnonzero(country == market)
        firms = population.firms_from[market] + np.arange(population.firms[market])
        chosen = firms[(population.segment[firms] == industry) & ~population.is_shell[firms]]
        found[here] = rng.choice(chosen if len(chosen) else firms, len(here))
    return found


def _dwelling(book: RelationBook, population: Population, people: _People, rng: np.random.Generator) -> None:
    tenants = people.take(rng.random(len(people)) < people.trait("tenant"))
    private = rng.random(len(tenants)) < 0.5
    landlord = np.where(
        private,
        anybody(population, np.full(len(tenants), ANY_PERSON), tenants.country, rng),
        _of_industry(population, tenants.country, _REAL_ESTATE, rng),
    )
    rent = 0.27 * tenants.income * np.exp(0.2 * rng.standard_normal(len(tenants)))
    book.add("rent", tenants.account, landlord, either(len(tenants), 0.8, WIRE, INSTANT, rng), rent)
    for share in (0.03, 0.05):
        utility = _of_industry(population, people.country, _UTILITY, rng)
        book.add("bill", people.account, utility, WIRE, share * people.income)
    book.add("tax", people.account, NONE, WIRE, 0.05 * people.income, 0.6 * 7 / 30, country=people.country)


def _shopping(book: RelationBook, population: Population, people: _People, rng: np.random.Generator) -> None:
    wealth = np.sqrt(people.income / 2_700)
    cards = people.trait("cards") * rng.gamma(3.0, 1 / 3.0, len(people))
    book.add("card", people.account, ANY_SHOP, CARD, 45 * wealth, 0.3 * cards)
    usual = anybody(population, np.full(len(people), ANY_SHOP), people.country, rng)
    book.add("card", people.account, usual, CARD, 50 * wealth, 0.25 * cards)
    book.add("card", people.account, NONE, CARD, 45 * wealth, 0.9 * cards, country=people.country)
    book.add(
        "card", people.account, NONE, CARD, 70 * wealth, 0.04 * cards, country=foreign_countries(people.country, rng)
    )
    book.add("purchase", people.account, ANY_SHOP, either(len(people), 0.6, INSTANT, WIRE, rng), 380 * wealth, 0.35)
    cash = people.trait("cash") * rng.gamma(2.0, 0.5, len(people))
    book.add("cash_out", people.account, NONE, CASH_OUT, 190 * wealth, 0.4 * cash)
    book.add("cash_in", NONE, people.account, CASH_IN, 350 * wealth, 0.15 * cash)
    cheques = people.take(rng.random(len(people)) < 0.12)
    book.add("purchase", cheques.account, ANY_SHOP, CHEQUE, 300.0, 0.3)


def _friends(book: RelationBook, population: Population, people: _People, rng: np.random.Generator) -> None:
    sociable = people.trait("friends") * rng.gamma(2.0, 0.5, len(people))
    wealth = np.sqrt(people.income / 2_700)
    for _ in range(FRIENDS):
        friend = anybody(population, np.full(len(people), ANY_PERSON), people.country, rng)
        book.add("friends", people.account, friend, INSTANT, 120 * wealth, 0.16 * sociable)
        book.add("friends", friend, people.account, INSTANT, 120 * wealth, 0.14 * sociable)
    book.add("friends", people.account, ANY_PERSON, INSTANT, 150 * wealth, 0.5 * sociable)
    parents = people.take(rng.random(len(people)) < 0.12)
    child = anybody(population, np.full(len(parents), ANY_PERSON), parents.country, rng)
    book.add("allowance", parents.account, child, either(len(parents), 0.5, WIRE, INSTANT, rng), 0.09 * parents.income)


def _abroad(book: RelationBook, population: Population, people: _People, rng: np.random.Generator) -> None:
    senders = people.take(rng.random(len(people)) < people.trait("abroad"))
    country = foreign_countries(senders.country, rng, high_risk_share=0.25)
    known = (rng.random(len(senders)) < 0.5) & (population.people[country] > 0)
    relative = anybody(population, np.full(len(senders), ANY_PERSON), np.where(known, country, senders.country), rng)
    payee = np.where(known, relative, NONE)
    channel = either(len(senders), 0.7, WIRE, INSTANT, rng)
    book.add(
        "remittance", senders.account, payee, channel, 0.10 * senders.income, country=np.where(known, NONE, country)
    )
    supported = people.take(rng.random(len(people)) < 0.4 * people.trait("abroad"))
    origin = foreign_countries(supported.country, rng, high_risk_share=0.2)
    book.add("remittance", NONE, supported.account, WIRE, 0.15 * supported.income, country=origin)


def _savings(book: RelationBook, population: Population, people: _People, rng: np.random.Generator) -> None:
    second = population.second[people.account]
    savers = people.take(second != NONE)
    second = second[second != NONE]
    book.add("savings", savers.account, second, INSTANT, 0.12 * savers.income, 0.25)
    book.add("savings", second, savers.account, INSTANT, 0.11 * savers.income, 0.22)
    investors = people.take(rng.random(len(people)) < people.trait("investor"))
    exchange = np.where(rng.random(len(investors)) < 0.5, investors.country, foreign_countries(investors.country, rng))
    book.add("virtual_asset", investors.account, NONE, VIRTUAL_ASSET, 0.04 * investors.income, 0.45, country=exchange)
    book.add("virtual_asset", NONE, investors.account, VIRTUAL_ASSET, 0.09 * investors.income, 0.18, country=exchange)
