"""Ties abroad: they begin, last and end; in every market many more of them than launderers' corridors."""

import numpy as np
import pandas as pd
import pytest

from streams.labels import NS_PER_DAY
from streams.markets import MARKETS
from streams.worlds import AmlWorld, AmlWorldConfig
from streams.worlds.aml.diligence import inquire
from streams.worlds.aml.flows import CODE as FLOW
from streams.worlds.aml.flows import FLOWS
from streams.worlds.aml.living import WIRE_SHARE
from streams.worlds.aml.nations import CODE, COUNTRIES, IS_HIGH_RISK
from streams.worlds.aml.plot import KNOWN_CORRIDOR_SHARE, Plot
from streams.worlds.aml.population import Population
from streams.worlds.aml.ties import (
    HOMELAND_SHARE,
    KINDS,
    LASTING_DAYS,
    PARTNER_KNOWN_SHARE,
    TRIAL_DAYS,
    TRIAL_FACTOR,
    Ties,
    foreseen,
    tied,
)
from streams.worlds.arrays import Ints

SALT = 5
PAYMENTS = 300_000


@pytest.fixture(scope="module")
def town() -> AmlWorld:
    return AmlWorld(AmlWorldConfig(customers=6_000, markets=("DE", "AE", "IN")), seed=7)


@pytest.fixture(scope="module")
def town_people(town: AmlWorld) -> Population:
    return town.scene.population


def drawn(people: Population, begin_ns: int, span_days: float, seed: int = 1) -> tuple[Ints, Ints, Ints]:
    """Payments of anybody, of any kind, at any time: customers, flows, instants."""
    rng = np.random.default_rng(seed)
    time_ns = begin_ns + (rng.random(PAYMENTS) * span_days * NS_PER_DAY).astype(np.int64)
    return rng.integers(0, people.customers, PAYMENTS), rng.integers(0, len(FLOWS), PAYMENTS), time_ns


def found(people: Population, payments: tuple[Ints, Ints, Ints], seed: int = 2) -> Ties:
    return tied(people, *payments, SALT, np.random.default_rng(seed))


def kind_of(ties: Ties) -> Ints:
    result: Ints = ties.key // 4_096 % len(KINDS)
    return result


def test_payments_go_where_one_tie_leads_while_it_lasts(town: AmlWorld, town_people: Population) -> None:
    payments = drawn(town_people, town.start_ns, 1_500)
    ties = found(town_people, payments)
    assert 0.005 < len(ties.row) / PAYMENTS < 0.05
    seen = pd.DataFrame({"key": ties.key, "country": ties.country, "partner": ties.partner,
                         "day": payments[2][ties.row] / NS_PER_DAY, "kind": kind_of(ties)})  # fmt: skip
    by_tie = seen.groupby("key")
    assert by_tie["country"].nunique().max() == by_tie["partner"].nunique().max() == 1
    lasted = by_tie["day"].agg(np.ptp)
    longest = by_tie["kind"].first().map({number: kind.lasts_days[1] for number, kind in enumerate(KINDS)})
    assert (lasted <= longest).all()
    assert set(seen["kind"]) == set(range(len(KINDS)))


def test_the_same_payments_are_turned_alike_in_any_company(town: AmlWorld, town_people: Population) -> None:
    customer, flow, time_ns = drawn(town_people, town.start_ns, 300)
    flow = np.full(PAYMENTS, FLOW["spending"])
    alone = found(town_people, (customer, flow, time_ns))
    later = found(town_people, (customer, flow, time_ns + 1_000), seed=3)
    common = np.intersect1d(alone.row, later.row)
    assert len(common) > 0.2 * len(alone.row)
    where = [ties.country[np.searchsorted(ties.row, common)] for ties in (alone, later)]
    assert (where[0] == where[1]).mean() > 0.95  # who has two ties follows one or the other


def test_ties_lead_abroad_and_those_of_kin_to_homelands(town: AmlWorld, town_people: Population) -> None:
    payments = drawn(town_people, town.start_ns, 700)
    ties = found(town_people, payments)
    home = town_people.market[payments[0][ties.row]]
    assert (ties.country != home).all()
    assert ((ties.country >= 0) & (ties.country < len(COUNTRIES))).all()
    kin = np.array([kind.of_kin for kind in KINDS])[kind_of(ties)] & (home == CODE["AE"])
    homelands = [CODE[code] for code in MARKETS["AE"].homelands]
    there = np.isin(ties.country, homelands)
    assert HOMELAND_SHARE - 0.08 < there[kin].mean() < HOMELAND_SHARE + 0.15
    assert there[~kin & (home == CODE["AE"])].mean() < 0.3
    assert 0.05 < IS_HIGH_RISK[ties.country].mean() < 0.25


def test_partners_live_there_and_are_of_the_kind(town: AmlWorld, town_people: Population) -> None:
    payments = drawn(town_people, town.start_ns, 700)
    ties = found(town_people, payments)
    known = ties.partner >= 0
    partner = ties.partner[known]
    assert (town_people.country(partner) == ties.country[known]).all()
    of_business = np.array([kind.of_business for kind in KINDS])[kind_of(ties)]
    assert (town_people.is_business[town_people.customer[partner]] == of_business[known]).all()
    assert (town_people.is_business[payments[0][ties.row]] == of_business).all()
    has_bank = np.isin(ties.country, [CODE[code] for code in town.config.market_codes])
    assert abs(known[has_bank].mean() - PARTNER_KNOWN_SHARE) < 0.1
    assert not known[~has_bank].any()


def test_businesses_begin_with_a_trial(town: AmlWorld, town_people: Population) -> None:
    ties = found(town_people, drawn(town_people, town.start_ns, 1_500))
    kind = kind_of(ties)
    tried = np.array([one.is_tried for one in KINDS])[kind]
    lift = np.array([one.lift for one in KINDS])[kind]
    assert (ties.factor[~tried] == lift[~tried]).all()
    assert set(ties.factor[tried] / lift[tried]) == {TRIAL_FACTOR, 1.0}
    assert 0.02 < (ties.factor[tried] < lift[tried]).mean() < 4 * TRIAL_DAYS / LASTING_DAYS


@pytest.mark.parametrize("code", ["DE", "AE", "IN"])
def test_in_every_market_people_and_businesses_begin_month_by_month(
    town: AmlWorld, town_people: Population, code: str
) -> None:
    """Who has a tie in a month that none of three months before knew."""
    customer = np.repeat(np.flatnonzero(town_people.market == CODE[code]), 60)
    rng = np.random.default_rng(4)
    day = rng.random(len(customer)) * 120
    flow = np.where(town_people.is_business[customer], FLOW["spending"], FLOW["purchase"])
    ties = found(town_people, (customer, flow, town.start_ns + (day * NS_PER_DAY).astype(np.int64)))
    seen = pd.DataFrame({"key": ties.key, "customer": customer[ties.row], "day": day[ties.row]})
    begun = seen.groupby("key").agg(customer=("customer", "first"), first=("day", "min"))
    anew = np.unique(begun["customer"][begun["first"] >= 90])
    for business in (False, True):
        here = (town_people.market == CODE[code]) & (town_people.is_business == business)
        assert 0.02 < len(anew[town_people.is_business[anew] == business]) / here.sum() < 0.25


def test_life_goes_abroad_along_new_ties_more_than_launderers_do(world: AmlWorld, frame: pd.DataFrame) -> None:
    """Corridors that nobody used in the first eight weeks, of sums that launderers move too."""
    abroad = frame[frame["from_country"].notna() & frame["to_country"].notna() & (frame["usd"] > 500)]
    abroad = abroad[abroad["from_country"].astype(str) != abroad["to_country"].astype(str)]
    abroad = abroad[(abroad["channel"] != "card") & abroad["from_account"].notna()]
    pair = abroad["from_account"].astype(str) + abroad["to_country"].astype(str)
    late = abroad["event_time_ns"] >= world.start_ns + 56 * NS_PER_DAY
    anew = abroad[late & ~pair.isin(pair[~late])]
    genuine = anew[~anew["is_laundering"]]["from_account"].nunique()
    assert genuine > 5 * anew[anew["is_laundering"]]["from_account"].nunique() > 0
    assert WIRE_SHARE - 0.2 < (anew[~anew["is_laundering"]]["channel"] == "wire").mean() < 1.0


def test_banks_are_told_of_ties_that_are_there_when_they_ask(town: AmlWorld, town_people: Population) -> None:
    scene = town.scene
    there = foreseen(town_people, town.start_ns, scene.salt)
    assert 0.1 < there.mean() < 0.5
    told = inquire(town.config, town_people, scene.relations, there, np.random.default_rng(1)).expects_foreign
    assert told[: town_people.customers][there].mean() > 0.85


def test_launderers_with_payments_abroad_often_use_their_country(world: AmlWorld) -> None:
    corridors, rng = world.scene.corridors, np.random.default_rng(3)
    has = np.flatnonzero(np.diff(corridors.start) > 0)
    own = []
    for account in rng.choice(has, 300).tolist():
        plot = Plot(world.scene, world.start_ns, int(world.scene.population.country(np.array([account]))[0]), rng)
        known = corridors.who[corridors.start[account] : corridors.start[account + 1]]
        own.append(plot.abroad(account) in known)
    assert abs(np.mean(own) - KNOWN_CORRIDOR_SHARE) < 0.12


def test_a_high_risk_corridor_stays_one(world: AmlWorld) -> None:
    corridors, rng = world.scene.corridors, np.random.default_rng(3)
    has = np.flatnonzero(np.diff(corridors.start) > 0)[:200]
    home = world.scene.population.country(has)
    plots = [Plot(world.scene, world.start_ns, int(market), rng) for market in home]
    found = [plot.abroad(int(account), high_risk_share=1.0) for plot, account in zip(plots, has, strict=True)]
    assert IS_HIGH_RISK[found].all()


def test_a_small_market_borrows_strangers() -> None:
    village = AmlWorld(AmlWorldConfig(customers=2_000, markets=40), seed=1)
    market = CODE[village.config.market_codes[-1]]
    size = int(village.scene.population.people[market])
    plot = Plot(village.scene, village.start_ns, market, np.random.default_rng(1))
    won = plot.people(size + 5, "mule")
    assert len(set(won.tolist())) == size + 5
