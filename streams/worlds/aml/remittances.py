"""Money sent home: people who work in one country and have kin in another; who sends, who gets, and by which corridors.

Everywhere some people pay abroad month by month, as their segment does. Where a market's own figures say that more
is sent or received than that comes to (docs/markets.md), it is what people have left over that goes to a homeland, and
what they lack that comes from there. Nobody pays more or oftener for it: only the other side is in another country, so
that all else happens as it would without.
"""

from dataclasses import replace

import numpy as np

from streams.worlds.aml.drafts import NONE
from streams.worlds.aml.flows import CODE
from streams.worlds.aml.household import foreign_countries
from streams.worlds.aml.nations import COUNTRIES, HOMELANDS, REMITTANCES_RECEIVED, REMITTANCES_SENT
from streams.worlds.aml.population import Population
from streams.worlds.aml.relations import Relations
from streams.worlds.aml.trade import MEAN_FACTOR
from streams.worlds.arrays import Floats, Ints

USUAL_SENT, USUAL_RECEIVED = 0.004, 0.002
"""Of a domestic product, what the segments' own shares of people who pay abroad come to."""
INCOME_OF_PRODUCT = 0.35
"""What people are paid, of a domestic product."""
CHANCE_MAX = 0.9
ELSEWHERE_SHARE = 0.25
"""Of migrants, those from none of the homelands that a market's file names."""
CORRIDORS: Floats = REMITTANCES_SENT[:, None] * HOMELANDS / np.maximum(HOMELANDS.sum(axis=1, keepdims=True), 1e-9)
"""What goes from a country (row) to another (column), of the sending one's domestic product."""


def sent_home(relations: Relations, population: Population, rng: np.random.Generator) -> Relations:
    """Let migrants send home what they have left over and get from there what they lack and their pensions, and let
    people whose kin work abroad get from them what they lack, as far as their markets' figures say.
    """
    people = ~population.is_business
    left_over = _outside(relations, population, "spending", relations.payer, relations.payee)
    lacking = _outside(relations, population, "income", relations.payee, relations.payer)
    pension = _outside(relations, population, "pension", relations.payee, relations.payer)
    sends = _chance(relations, population, left_over, relations.payer, REMITTANCES_SENT - USUAL_SENT)
    gets = _chance(relations, population, lacking, relations.payee, REMITTANCES_RECEIVED - USUAL_RECEIVED)
    drawn = rng.random(population.customers)
    is_migrant = people & (drawn < sends[population.market])
    has_kin = people & ~is_migrant & (rng.random(population.customers) < gets[population.market])
    homeland = _along(CORRIDORS, population.market, rng)
    workplace = _along(CORRIDORS.T, population.market, rng)
    country = relations.country.copy()
    for rows, side, who, other in (
        (left_over, relations.payer, is_migrant, homeland),
        (lacking, relations.payee, is_migrant, homeland),
        (pension, relations.payee, is_migrant, homeland),
        (lacking, relations.payee, has_kin, workplace),
    ):
        customer = population.customer[side[rows]]
        chosen = who[customer]
        country[rows[chosen]] = other[customer[chosen]]
    return replace(relations, country=country)


def _outside(relations: Relations, population: Population, flow: str, side: Ints, other: Ints) -> Ints:
    """Rows of people's relations of a flow with somebody whom no bank here knows: int64."""
    rows = np.flatnonzero((relations.flow == CODE[flow]) & (side >= 0) & (other == NONE))
    result: Ints = rows[~population.is_business[population.customer[side[rows]]]]
    return result


def _chance(relations: Relations, population: Population, rows: Ints, side: Ints, told: Floats) -> Floats:
    """How many of each country's people it takes for their payments in `rows` to come to `told` of its domestic
    product: float64 [countries].
    """
    usd = relations.monthly_usd(MEAN_FACTOR)[rows]
    there = np.bincount(population.country(side[rows]), weights=usd, minlength=len(COUNTRIES))
    people = ~population.is_business
    earned = np.bincount(population.market[people], weights=population.monthly_usd[people], minlength=len(COUNTRIES))
    wanted = np.maximum(told, 0.0) * earned / INCOME_OF_PRODUCT
    result: Floats = np.minimum(wanted / np.maximum(there, 1.0), CHANCE_MAX)
    return result


def _along(corridors: Floats, home: Ints, rng: np.random.Generator) -> Ints:
    """Draw the other country of each home country by the corridors' weights (row: home), some from anywhere."""
    found = foreign_countries(home, rng)
    by_corridor = rng.random(len(home)) >= ELSEWHERE_SHARE
    for market in np.unique(home):
        weight = corridors[market]
        here = np.flatnonzero((home == market) & by_corridor)
        if weight.sum() > 0:
            found[here] = rng.choice(len(weight), len(here), p=weight / weight.sum())
    return found
