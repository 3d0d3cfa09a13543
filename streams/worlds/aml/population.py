"""Who pays whom: people and businesses of the chosen markets, and their accounts at its banks."""

from dataclasses import dataclass

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.drafts import NONE
from streams.worlds.aml.nations import BANKS_PER_COUNTRY, CODE, COUNTRIES
from streams.worlds.aml.segments import (
    BUSINESS_FROM,
    INDUSTRIES,
    SEGMENTS,
    SHOPS,
    industry_trait,
    trait,
)
from streams.worlds.arrays import Flags, Floats, Ints

SECOND_ACCOUNT_SHARE = 0.22
DORMANT_SHARE = 0.03
NEWCOMER_SHARE, NEWCOMER_SPAN_NS = 0.15, 720 * NS_PER_DAY
MEAN_AGE_DAYS = 1_500.0
OLD_NS = 2_500 * NS_PER_DAY
MARKET_HEAD = 3.0
"""The higher, the more alike the markets' sizes: the k-th has a weight of 1 / (k + MARKET_HEAD)."""


@dataclass(frozen=True, slots=True)
class Population:
    """Columns over customers, and over accounts.

    Customers lie market after market, people first, then businesses by industry, so that "anybody of a market" is a
    range: from `people_from`, `firms_from` on, so many as `people`, `firms` say, the first `shops` of the businesses
    sell to people (all five by country code). `market` is a country code, `segment` a code of `segments.NAMES`,
    `monthly_usd` income or turnover. `is_shell` companies have no trade; that is truth, and no bank knows it.
    Accounts: the first of each customer has the customer's code, `second` [customers] is another one or -1. `dormant`
    accounts are further ones, long silent.
    """

    market: Ints
    segment: Ints
    monthly_usd: Floats
    is_pep: Flags
    is_shell: Flags
    second: Ints
    customer: Ints
    bank: Ints
    opened_at_ns: Ints
    dormant: Flags
    people_from: Ints
    people: Ints
    firms_from: Ints
    firms: Ints
    shops: Ints

    @property
    def customers(self) -> int:
        """How many customers there are, those yet to come included."""
        return len(self.market)

    @property
    def accounts(self) -> int:
        """How many accounts there are, those yet to be opened included."""
        return len(self.customer)

    @property
    def is_business(self) -> Flags:
        """Which customers are businesses: bool [customers]."""
        found: Flags = self.segment >= BUSINESS_FROM
        return found

    def country(self, accounts: Ints) -> Ints:
        """Country codes of accounts, -1 where there is none (account -1)."""
        return np.where(accounts >= 0, self.market[self.customer[accounts]], NONE)


def settle(config: AmlWorldConfig, rng: np.random.Generator) -> Population:
    """Settle people and businesses in the markets and open their accounts."""
    codes = np.array([CODE[code] for code in config.market_codes])
    weight = 1.0 / (np.arange(len(codes)) + MARKET_HEAD)
    size = np.maximum((config.customers * weight / weight.sum()).round(), 12).astype(np.int64)
    firms = np.maximum((size * config.business_share).round(), 4).astype(np.int64)
    market, segment = _layout(codes, size - firms, firms, rng)
    people_by, firms_by = np.zeros(len(COUNTRIES), np.int64), np.zeros(len(COUNTRIES), np.int64)
    people_by[codes], firms_by[codes] = size - firms, firms
    from_by = np.zeros(len(COUNTRIES), np.int64)
    from_by[codes] = np.cumsum(size) - size
    is_shop = (segment >= BUSINESS_FROM) & (segment < BUSINESS_FROM + SHOPS)
    customers = len(market)
    second = np.full(customers, NONE)
    has_second = np.flatnonzero(rng.random(customers) < SECOND_ACCOUNT_SHARE)
    second[has_second] = customers + np.arange(len(has_second))
    forgotten = np.flatnonzero(rng.random(customers) < DORMANT_SHARE)
    customer = np.concatenate((np.arange(customers), has_second, forgotten))
    lone = np.where(segment >= BUSINESS_FROM, segment - BUSINESS_FROM, 0)
    is_firm = segment >= BUSINESS_FROM
    opened_at_ns = _opened(config.start_ns, len(customer), rng)
    opened_at_ns[len(customer) - len(forgotten) :] = config.start_ns - OLD_NS
    return Population(
        market=market,
        segment=segment,
        monthly_usd=_monthly(segment, rng),
        is_pep=~is_firm & (rng.random(customers) < trait("pep")[np.where(is_firm, 0, segment)]),
        is_shell=is_firm & (rng.random(customers) < industry_trait("shells")[lone]),
        second=second,
        customer=customer,
        bank=market[customer] * BANKS_PER_COUNTRY + _bank_choice(len(customer), rng),
        opened_at_ns=opened_at_ns,
        dormant=np.arange(len(customer)) >= customers + len(has_second),
        people_from=from_by,
        people=people_by,
        firms_from=from_by + people_by,
        firms=firms_by,
        shops=np.bincount(market[is_shop], minlength=len(COUNTRIES)),
    )


def _layout(codes: Ints, people: Ints, firms: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Market and segment of every customer. Every market has a shop and a utility at least."""
    share, industry_share = trait("share"), industry_trait("share")
    parts = []
    for count, firm_count in zip(people, firms, strict=True):
        parts.append(rng.choice(len(SEGMENTS), count, p=share / share.sum()))
        industry = rng.choice(len(INDUSTRIES), firm_count, p=industry_share / industry_share.sum())
        industry[:4] = [0, SHOPS, 1, 4]
        parts.append(BUSINESS_FROM + np.sort(industry))
    return np.repeat(codes, people + firms), np.concatenate(parts).astype(np.int64)


def _monthly(segment: Ints, rng: np.random.Generator) -> Floats:
    median = np.concatenate((trait("income_usd"), industry_trait("turnover_usd")))[segment]
    sigma = np.concatenate((trait("sigma"), industry_trait("sigma")))[segment]
    result: Floats = median * np.exp(sigma * rng.standard_normal(len(segment)))
    return result


def _bank_choice(count: int, rng: np.random.Generator) -> Ints:
    """Few banks have many accounts: int64 in [0, BANKS_PER_COUNTRY)."""
    return (BANKS_PER_COUNTRY * rng.random(count) ** 1.7).astype(np.int64)


def _opened(start_ns: int, count: int, rng: np.random.Generator) -> Ints:
    """When accounts are opened: most long before the start, some in the two years after it."""
    age_ns = ((rng.gamma(1.3, MEAN_AGE_DAYS / 1.3, count) + 3.0) * NS_PER_DAY).astype(np.int64)
    later = (rng.random(count) * NEWCOMER_SPAN_NS).astype(np.int64)
    return start_ns + np.where(rng.random(count) < NEWCOMER_SHARE, later, -age_ns)
