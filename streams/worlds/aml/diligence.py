"""Customer due diligence: what customers said about their accounts when they were asked, near the truth if genuine."""

from dataclasses import dataclass

import numpy as np

from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.drafts import CASH_IN, CASH_OUT
from streams.worlds.aml.nations import IS_HIGH_RISK
from streams.worlds.aml.population import Population
from streams.worlds.aml.relations import Relations
from streams.worlds.aml.segments import BUSINESS_FROM, industry_trait
from streams.worlds.aml.trade import MEAN_FACTOR, monthly_in_and_out
from streams.worlds.arrays import Flags, Floats, Ints

ROOM = 1.15
"""People declare a little more than they need."""
CASH_FREE_USD, CASH_BUSINESS_USD = 80.0, 900.0
SHELL_PRETENCE = 0.7
"""What a shell declares, of what a business of its size would move."""
UNDECLARED_FOREIGN, UNUSED_FOREIGN = 0.1, 0.06


@dataclass(frozen=True, slots=True)
class Diligence:
    """Columns over accounts. `turnover_usd` is what goes through in a mean month, both directions (the truth);
    `monthly_usd` and `cash_monthly_usd` are what was declared, `expects_foreign` and `risk_rating` (1 to 3) go with it.
    """

    turnover_usd: Floats
    monthly_usd: Floats
    cash_monthly_usd: Floats
    expects_foreign: Flags
    risk_rating: Ints


def inquire(
    config: AmlWorldConfig, population: Population, relations: Relations, ties: Flags, rng: np.random.Generator
) -> Diligence:
    """Ask every customer, among them those with ties abroad (`ties`, bool [customers]) when they are asked. Shells say
    what a business of their kind would; nobody else lies, but people err.
    """
    received, paid = monthly_in_and_out(population, relations)
    turnover = received + paid
    kind = np.where(population.is_business, CASH_BUSINESS_USD, CASH_FREE_USD)[population.customer]
    pretended = np.where(population.is_shell, SHELL_PRETENCE * population.monthly_usd, 0.0)[population.customer]
    err = np.exp(config.declared_error * rng.standard_normal(population.accounts))
    monthly = ROOM * np.maximum(np.maximum(turnover, pretended), 300.0) * err
    cash = (
        _cash(population, relations) * ROOM * np.exp(config.declared_error * rng.standard_normal(population.accounts))
    )
    foreign = _foreign(population, relations) | ties[population.customer]
    said = np.where(foreign, rng.random(len(foreign)) >= UNDECLARED_FOREIGN, rng.random(len(foreign)) < UNUSED_FOREIGN)
    return Diligence(
        turnover_usd=np.maximum(turnover, 300.0),
        monthly_usd=monthly,
        cash_monthly_usd=np.minimum(np.maximum(cash, kind * err), monthly),
        expects_foreign=said,
        risk_rating=_ratings(population, said, cash / monthly, rng),
    )


def _cash(population: Population, relations: Relations) -> Floats:
    usd = relations.monthly_usd(MEAN_FACTOR)
    result = np.zeros(population.accounts)
    for channel, side in ((CASH_IN, relations.payee), (CASH_OUT, relations.payer)):
        rows = (relations.channel == channel) & (side >= 0)
        np.add.at(result, side[rows], usd[rows])
    return result


def _foreign(population: Population, relations: Relations) -> Flags:
    one = np.where(relations.payer >= 0, population.country(relations.payer), relations.country)
    other = np.where(relations.payee >= 0, population.country(relations.payee), relations.country)
    abroad = (one >= 0) & (other >= 0) & (one != other)
    result = np.zeros(population.accounts, np.bool_)
    for side in (relations.payer, relations.payee):
        result[side[abroad & (side >= 0)]] = True
    return result


def _ratings(population: Population, foreign: Flags, cash_share: Floats, rng: np.random.Generator) -> Ints:
    """Rate as banks do: by politics, industry, cash and borders, and with some judgement; the same for all accounts of
    a customer.
    """
    customers = population.customers
    segment = population.segment
    industry = np.where(population.is_business, segment - BUSINESS_FROM, 0)
    points = 2.2 * population.is_pep + 1.0 * foreign[:customers] + 1.5 * np.minimum(cash_share[:customers], 0.6)
    points += np.where(population.is_business, 2.0 * industry_trait("foreign")[industry], 0.0)
    points += 1.0 * IS_HIGH_RISK[population.market] + 0.8 * rng.standard_normal(customers)
    rating = 1 + (points > 1.4).astype(np.int64) + (points > 2.6)
    result: Ints = rating[population.customer]
    return result
