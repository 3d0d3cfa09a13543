"""Ties abroad that begin: from some day on, somebody deals with a country where he never did, for weeks or for years.

People travel, buy something far away once, begin to support kin or to be supported, have a child at a university
abroad, move here and keep a home there, buy a second home, inherit, or find an employer abroad; businesses try a
supplier and stay with him or do not, find a buyer, order a machine. Who sends money to a country for the first time is
an everyday sight for a bank. Rates are plain orders of magnitude, from memory of what statistical offices, the UN's
tourism organisation and the World Bank publish: of the order of a journey abroad every other year, a few in a hundred
people who move, study or have somebody move, study or work abroad in a year, and of businesses one in three with a new
partner abroad in a year, more where the industry trades over borders.

What goes abroad is paid instead of something at home: payments with anybody go to, or come from, the tie's country,
so that nobody pays oftener for it; `lift` says how much larger they are. Nothing is stored: a tie is drawn by hash from
customer, kind and the span of `every_days` that an instant lies in, and costs no memory however long a world lasts.
"""

from dataclasses import dataclass

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.aml.drafts import NONE
from streams.worlds.aml.flows import FLOWS
from streams.worlds.aml.household import HIGH_RISK_SHARE
from streams.worlds.aml.nations import COUNTRIES, HOMELANDS, IS_HIGH_RISK
from streams.worlds.aml.population import Population
from streams.worlds.aml.segments import BUSINESS_FROM, industry_trait
from streams.worlds.arrays import Flags, Floats, Ints, unit_hash

PARTNER_KNOWN_SHARE = 0.3
"""Of ties to a country whose banks are in the world, those with somebody who has an account at one."""
TRIAL_DAYS, TRIAL_FACTOR = 21.0, 0.5
"""Businesses try a new partner first: for so long, with sums so much smaller."""
TRADE_BASE, TRADE_FOREIGN = 0.5, 1.5
"""How often businesses begin: so much anyway, and so much more with their industry's share of trade abroad."""
HOMELAND_SHARE = 0.75
"""Of ties of kin, those to one of the homelands that the market's file names."""
_KEYS = 4_096
"""Spans told apart, counted from the Unix epoch: more than any kind has."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of tie, of people or of businesses (`of_business`). In each span of `every_days` one begins by `chance`
    and lasts between the two numbers of `lasts_days`. `shares` is how much of a flow's payments with anybody goes
    there, `lift` the factor on sums, `of_kin` whether it leads to a homeland; `is_tried` ties begin with a trial.
    """

    name: str
    of_business: bool
    every_days: int
    chance: float
    lasts_days: tuple[float, float]
    shares: dict[str, float]
    lift: float = 1.0
    of_kin: bool = False
    is_tried: bool = False


KINDS: tuple[Kind, ...] = (
    Kind("inheritance", False, 728, 0.03, (10, 60), {"income": 0.8, "salary": 0.3}, 1.5),
    Kind("purchase", False, 182, 0.05, (5, 20), {"purchase": 0.8, "spending": 0.6}, 1.4),
    Kind("second_home", False, 1_456, 0.04, (100, 1_000), {"spending": 0.4, "purchase": 0.2}, 1.4),
    Kind("studies", False, 1_456, 0.06, (400, 1_456), {"spending": 0.5, "friends": 0.2}),
    Kind("new_home", False, 1_456, 0.08, (700, 1_456), {"spending": 0.5, "friends": 0.2, "income": 0.2}, of_kin=True),
    Kind("kin", False, 1_092, 0.10, (60, 700), {"spending": 0.4, "friends": 0.3}, of_kin=True),
    Kind("supported", False, 1_092, 0.08, (60, 700), {"income": 0.5}, of_kin=True),
    Kind("employer", False, 728, 0.03, (90, 700), {"salary": 0.9, "income": 0.7}),
    Kind("journey", False, 91, 0.12, (8, 24), {"card": 0.6, "purchase": 0.3, "friends": 0.1, "spending": 0.1}),
    Kind("machine", True, 728, 0.15, (10, 40), {"spending": 0.6}, 1.6),
    Kind("trial", True, 182, 0.12, (10, 30), {"spending": 0.5}),
    Kind("order", True, 182, 0.12, (10, 30), {"income": 0.5, "client": 0.3}),
    Kind("supplier", True, 364, 0.25, (60, 364), {"spending": 0.4, "trade_abroad": 0.3}, is_tried=True),
    Kind("buyer", True, 364, 0.25, (60, 364), {"income": 0.4, "client": 0.3, "trade_abroad": 0.3}, is_tried=True),
)
LASTING_DAYS = 364
"""Ties that may last so long are such as a bank is told of when it asks."""
_SHARES: Floats = np.array([[kind.shares.get(flow.name, 0.0) for flow in FLOWS] for kind in KINDS])
_TIED_FLOWS: Flags = _SHARES.max(axis=0) > 0.0


@dataclass(frozen=True, slots=True)
class Ties:
    """Columns over payments that a tie has turned abroad: `row` says which, `key` is the tie's, `country` the tie's,
    `partner` an account there or -1, `factor` what the sum is multiplied by.
    """

    row: Ints
    key: Ints
    country: Ints
    partner: Ints
    factor: Floats


def tied(
    population: Population, customer: Ints, flow: Ints, time_ns: Ints, salt: int, rng: np.random.Generator
) -> Ties:
    """Choose which of these payments of customers with anybody (int64 [n] each) go to, or come from, where a tie of
    theirs leads at that time.
    """
    rows = np.flatnonzero(_TIED_FLOWS[flow])
    u = rng.random(len(rows))
    kind, key, age_days = np.full(len(rows), NONE), np.zeros(len(rows), np.int64), np.zeros(len(rows))
    is_business = population.is_business[customer[rows]]
    for number, one in enumerate(KINDS):
        free = np.flatnonzero((kind == NONE) & (is_business == one.of_business) & (u < _SHARES[number, flow[rows]]))
        keys, age, there = _alive(population, number, customer[rows[free]], time_ns[rows[free]], salt)
        found = free[there]
        kind[found], key[found], age_days[found] = number, keys[there], age[there]
    chosen = np.flatnonzero(kind != NONE)
    rows, kind, key = rows[chosen], kind[chosen], key[chosen]
    country = _countries(population.market[customer[rows]], kind, key, salt)
    is_tried = np.array([one.is_tried for one in KINDS])[kind] & (age_days[chosen] < TRIAL_DAYS)
    factor = np.array([one.lift for one in KINDS])[kind] * np.where(is_tried, TRIAL_FACTOR, 1.0)
    return Ties(rows, key, country, _partners(population, kind, country, key, salt), factor)


def foreseen(population: Population, begin_ns: int, salt: int) -> Flags:
    """Which customers live with a lasting tie at an instant: bool [customers]."""
    customer = np.arange(population.customers)
    found = np.zeros(len(customer), np.bool_)
    for number, one in enumerate(KINDS):
        if one.lasts_days[1] >= LASTING_DAYS:
            there = _alive(population, number, customer, np.full(len(customer), begin_ns), salt)[2]
            found |= there & (population.is_business == one.of_business)
    return found


def _alive(population: Population, number: int, customer: Ints, time_ns: Ints, salt: int) -> tuple[Ints, Floats, Flags]:
    """Of each customer and instant: the key of the span it lies in, its age in days, and whether a tie is there."""
    kind = KINDS[number]
    span_ns = kind.every_days * NS_PER_DAY
    own = customer * len(KINDS) + number
    lived = time_ns + (unit_hash(own, salt + 11) * span_ns).astype(np.int64)
    span = lived // span_ns
    age_days = (lived - span * span_ns) / NS_PER_DAY
    key = own * _KEYS + span % _KEYS
    low, high = kind.lasts_days
    there = unit_hash(key, salt + 12) < kind.chance * _readiness(population, customer)
    there &= age_days < low + (high - low) * unit_hash(key, salt + 13)
    return key, age_days, there


def _readiness(population: Population, customer: Ints) -> Floats:
    """How much more often than usual customers begin a tie: businesses by their trade, people all alike."""
    segment = population.segment[customer]
    foreign = industry_trait("foreign")[np.maximum(segment - BUSINESS_FROM, 0)]
    return np.where(segment >= BUSINESS_FROM, TRADE_BASE + TRADE_FOREIGN * foreign, 1.0)


def _countries(home: Ints, kind: Ints, key: Ints, salt: int) -> Ints:
    """Where the ties of customers at home somewhere lead."""
    of_kin = np.array([one.of_kin for one in KINDS])[kind] & (unit_hash(key, salt + 14) < HOMELAND_SHARE)
    u = home + unit_hash(key, salt + 15)
    last = (home + 1) * len(COUNTRIES) - 1
    found = np.where(of_kin, np.searchsorted(_TO_KIN, u, side="right"), np.searchsorted(_ANYWHERE, u, side="right"))
    result: Ints = np.minimum(found, last) - home * len(COUNTRIES)
    return result


def _partners(population: Population, kind: Ints, country: Ints, key: Ints, salt: int) -> Ints:
    """Whom a tie leads to: the same account each time, -1 where no bank of the world knows the partner."""
    of_business = np.array([one.of_business for one in KINDS])[kind]
    first = np.where(of_business, population.firms_from[country], population.people_from[country])
    size = np.where(of_business, population.firms[country], population.people[country])
    known = (unit_hash(key, salt + 16) < PARTNER_KNOWN_SHARE) & (size > 0)
    return np.where(known, first + (unit_hash(key, salt + 17) * size).astype(np.int64), NONE)


def _cumulated(weights: Floats) -> Floats:
    """Rows of weights as one ascending column: row h's quantiles lie between h and h + 1."""
    cumulated = np.cumsum(weights, axis=1)
    cumulated /= cumulated[:, -1:]
    result: Floats = (cumulated + np.arange(len(weights))[:, None]).ravel()
    return result


def _anywhere() -> Floats:
    """Weights of countries (column) for a home (row): any other, high-risk ones by their usual share."""
    other = ~np.eye(len(COUNTRIES), dtype=np.bool_)
    risky, usual = other & IS_HIGH_RISK, other & ~IS_HIGH_RISK
    weights = usual * (1.0 - HIGH_RISK_SHARE) / usual.sum(axis=1, keepdims=True)
    result: Floats = weights + risky * HIGH_RISK_SHARE / np.maximum(risky.sum(axis=1, keepdims=True), 1)
    return result


_ANYWHERE: Floats = _cumulated(_anywhere())
_TO_KIN: Floats = _cumulated(np.where(HOMELANDS.sum(axis=1, keepdims=True) > 0, HOMELANDS, _anywhere()))
