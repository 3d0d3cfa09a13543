"""What businesses pay and get as a rule: takings, suppliers, clients, trade abroad, owners; and what closes the gap."""

import numpy as np

from streams.worlds.aml.drafts import CASH_IN, CASH_OUT, CHEQUE, INSTANT, NONE, WIRE
from streams.worlds.aml.flows import CODE, column
from streams.worlds.aml.household import either, foreign_countries
from streams.worlds.aml.nations import COUNTRIES
from streams.worlds.aml.population import Population
from streams.worlds.aml.relations import (
    ANY_FIRM,
    ANY_PERSON,
    ANY_SHOP,
    WEEKS_PER_MONTH,
    RelationBook,
    Relations,
    anybody,
    shop_shares,
)
from streams.worlds.aml.segments import BUSINESS_FROM, industry_trait
from streams.worlds.arrays import Floats, Ints

SUPPLIERS_SHARE = 0.5
"""Of turnover."""
SHELL_TRADE = 0.04
"""What a shell moves as a rule, of what a business of its size would."""
MARGIN = 1.07
MEAN_FACTOR: Floats = np.exp(column("sigma") ** 2 / 2)
"""Mean over median of amounts, by flow."""


def enter_trade(book: RelationBook, population: Population, rng: np.random.Generator) -> None:
    """Enter everything that businesses do as a rule."""
    firms = np.flatnonzero(population.is_business)
    turnover = population.monthly_usd[firms] * np.where(population.is_shell[firms], SHELL_TRADE, 1.0)
    industry = population.segment[firms] - BUSINESS_FROM
    country = population.market[firms]
    _takings(book, firms, turnover, industry, country)
    _suppliers(book, population, firms, turnover, rng)
    book.add("tax", firms, NONE, WIRE, 0.06 * turnover, country=country)
    book.add("spending", firms, ANY_FIRM, either(len(firms), 0.6, WIRE, INSTANT, rng), 0.025 * turnover, 1.0)
    book.add("client", ANY_FIRM, firms, either(len(firms), 0.75, WIRE, INSTANT, rng), 0.03 * turnover, 1.0)
    book.add("friends", firms, ANY_PERSON, INSTANT, 0.01 * turnover, 0.6)
    owner = anybody(population, np.full(len(firms), ANY_PERSON), country, rng)
    book.add("spending", firms, owner, either(len(firms), 0.5, WIRE, INSTANT, rng), 0.04 * turnover, 0.4)
    book.add("cash_out", firms, NONE, CASH_OUT, np.maximum(0.015 * turnover, 100), 0.12)
    second = population.second[firms]
    has = second != NONE
    book.add("savings", firms[has], second[has], INSTANT, 0.15 * turnover[has], 0.25)
    book.add("savings", second[has], firms[has], INSTANT, 0.14 * turnover[has], 0.22)


def _takings(book: RelationBook, firms: Ints, turnover: Floats, industry: Ints, country: Ints) -> None:
    by_card = turnover * industry_trait("card")[industry]
    shop = by_card > 0
    book.add("takings", NONE, firms[shop], WIRE, by_card[shop] / WEEKS_PER_MONTH / 3.0, 2.5, country=country[shop])
    in_cash = turnover * industry_trait("cash")[industry]
    tills = in_cash > 0
    often = np.clip(in_cash[tills] / WEEKS_PER_MONTH / 1_500, 0.3, 2.5)
    book.add("cash_takings", NONE, firms[tills], CASH_IN, in_cash[tills] / WEEKS_PER_MONTH / often, often)


def _suppliers(
    book: RelationBook, population: Population, firms: Ints, turnover: Floats, rng: np.random.Generator
) -> None:
    industry = population.segment[firms] - BUSINESS_FROM
    count = 1 + rng.poisson(industry_trait("suppliers")[industry] - 1)
    buyer = np.repeat(firms, count)
    share = (rng.standard_gamma(1.5, len(buyer)) + 0.2) / np.repeat(count, count) / 1.7
    usd = np.repeat(turnover, count) * SUPPLIERS_SHARE * share
    often = rng.gamma(2.0, 0.4, len(buyer)) + 0.2
    usd = usd / WEEKS_PER_MONTH / often / MEAN_FACTOR[0]
    home = population.market[buyer]
    abroad = rng.random(len(buyer)) < np.repeat(industry_trait("foreign")[industry], count)
    country = foreign_countries(home, rng)
    known = (rng.random(len(buyer)) < 0.5) & (population.firms[country] > 0)
    seller = anybody(population, np.full(len(buyer), ANY_FIRM), np.where(abroad & known, country, home), rng)
    draws = rng.random(len(buyer))
    channel = np.where(draws < 0.64, WIRE, np.where(draws < 0.92, INSTANT, CHEQUE))
    near = ~abroad | known
    book.add("supplier", buyer[near], seller[near], np.where(abroad, WIRE, channel)[near], usd[near], often[near])
    far = ~near
    book.add("trade_abroad", buyer[far], NONE, WIRE, usd[far], often[far], country=country[far])
    exporters = np.flatnonzero(rng.random(len(firms)) < industry_trait("foreign")[industry])
    origin = foreign_countries(population.market[firms[exporters]], rng)
    book.add("trade_abroad", NONE, firms[exporters], WIRE, 0.1 * turnover[exporters], 0.5, country=origin)


def monthly_in_and_out(population: Population, relations: Relations) -> tuple[Floats, Floats]:
    """Return the dollars that come to and leave each account in a mean month, by its relations."""
    usd = relations.monthly_usd(MEAN_FACTOR)
    received, paid = np.zeros(population.accounts), np.zeros(population.accounts)
    for into, side, other in ((received, relations.payee, relations.payer), (paid, relations.payer, relations.payee)):
        known = side >= 0
        np.add.at(into, side[known], usd[known])
        country = population.country(np.where(other >= 0, other, NONE))
        for kind in (ANY_PERSON, ANY_SHOP, ANY_FIRM):
            drawn = (side == kind) & (country >= 0)
            by_country = np.bincount(country[drawn], weights=usd[drawn], minlength=len(COUNTRIES))
            for market in np.flatnonzero(by_country):
                _spread(into, population, kind, int(market), float(by_country[market]))
    return received, paid


def _spread(into: Floats, population: Population, kind: int, country: int, usd: float) -> None:
    if kind == ANY_PERSON:
        first, size = int(population.people_from[country]), int(population.people[country])
        into[first : first + size] += usd / size
    elif kind == ANY_FIRM:
        first, size = int(population.firms_from[country]), int(population.firms[country])
        into[first : first + size] += usd / size
    else:
        first, size = int(population.firms_from[country]), int(population.shops[country])
        into[first : first + size] += usd * shop_shares(population, country)


def close_gaps(book: RelationBook, population: Population, rng: np.random.Generator) -> Relations:
    """Let what an account lacks come from clients outside, and what piles up go there; return all relations."""
    received, paid = monthly_in_and_out(population, book.close())
    accounts = np.arange(population.accounts)
    lacking = np.flatnonzero((paid * MARGIN > received) & (paid > 0))
    gap = (paid * MARGIN - received)[lacking]
    often = np.clip(gap / 2_500, 0.15, 1.2) * np.exp(0.3 * rng.standard_normal(len(lacking)))
    _enter_gap(book, population, lacking, gap, often, incoming=True, rng=rng)
    piling = accounts[received > paid * 1.25]
    rest = (received - paid * 1.1)[piling]
    often = np.clip(rest / 2_500, 0.1, 1.0) * np.exp(0.3 * rng.standard_normal(len(piling)))
    _enter_gap(book, population, piling, rest, often, incoming=False, rng=rng)
    return book.close()


def _enter_gap(
    book: RelationBook,
    population: Population,
    accounts: Ints,
    monthly: Floats,
    often: Floats,
    *,
    incoming: bool,
    rng: np.random.Generator,
) -> None:
    flow = "income" if incoming else "spending"
    factor = MEAN_FACTOR[CODE[flow]]
    usd = monthly / WEEKS_PER_MONTH / often / factor
    country = population.country(accounts)
    channel = either(len(accounts), 0.65, WIRE, INSTANT, rng)
    payer, payee = (NONE, accounts) if incoming else (accounts, NONE)
    book.add(flow, payer, payee, channel, usd, often, country=country)
