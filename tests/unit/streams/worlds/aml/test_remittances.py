"""Money sent home: migrants send and get it as their market's figures say, and all else stays as it was."""

from dataclasses import fields

import numpy as np
import pytest

from streams.markets import MARKETS
from streams.worlds import AmlWorld, AmlWorldConfig
from streams.worlds.aml.diligence import inquire
from streams.worlds.aml.flows import CODE as FLOW
from streams.worlds.aml.nations import CODE
from streams.worlds.aml.relations import Relations
from streams.worlds.aml.remittances import sent_home
from streams.worlds.arrays import Flags, Ints

CODES = ("AE", "JP", "IN", "PH")
SEED = 3


@pytest.fixture(scope="module")
def emigrants() -> AmlWorld:
    return AmlWorld(AmlWorldConfig(customers=6_000, markets=CODES), seed=SEED)


def rows_abroad(world: AmlWorld, flow: str, code: str, *, sent: bool) -> tuple[Ints, Flags]:
    """Rows of the people of a market who deal so with somebody outside, and which of them over the border."""
    relations, population = world.scene.relations, world.scene.population
    side, other = (relations.payer, relations.payee) if sent else (relations.payee, relations.payer)
    rows = np.flatnonzero((relations.flow == FLOW[flow]) & (side >= 0) & (other < 0) & (relations.country >= 0))
    own = population.customer[side[rows]]
    rows = rows[(population.market[own] == CODE[code]) & ~population.is_business[own]]
    return rows, relations.country[rows] != CODE[code]


def test_markets_of_migrant_workers_send_and_their_homelands_receive(emigrants: AmlWorld) -> None:
    sends = {code: rows_abroad(emigrants, "spending", code, sent=True)[1].mean() for code in CODES}
    gets = {code: rows_abroad(emigrants, "income", code, sent=False)[1].mean() for code in CODES}
    assert 0.2 < sends["AE"] < 0.8
    assert max(sends["JP"], sends["IN"], sends["PH"]) == 0
    assert gets["JP"] == 0
    assert 0.5 < gets["IN"] <= gets["PH"] < 0.95


def test_migrants_get_their_pensions_from_where_they_came(emigrants: AmlWorld) -> None:
    assert 0.2 < rows_abroad(emigrants, "pension", "AE", sent=False)[1].mean() < 0.9
    assert rows_abroad(emigrants, "pension", "IN", sent=False)[1].mean() == 0


def test_most_go_to_homelands_and_come_from_where_kin_work(emigrants: AmlWorld) -> None:
    relations = emigrants.scene.relations
    rows, abroad = rows_abroad(emigrants, "spending", "AE", sent=True)
    there = relations.country[rows[abroad]]
    assert 0.6 < np.isin(there, [CODE[code] for code in MARKETS["AE"].homelands]).mean() < 0.9
    assert np.bincount(there).argmax() == CODE["IN"]
    rows, abroad = rows_abroad(emigrants, "income", "IN", sent=False)
    employers = [CODE[code] for code, market in MARKETS.items() if "IN" in market.homelands]
    assert np.isin(relations.country[rows[abroad]], employers).mean() > 0.6


def test_nothing_but_the_other_sides_country_changes(emigrants: AmlWorld) -> None:
    before = emigrants.scene.relations
    after = sent_home(before, emigrants.scene.population, np.random.default_rng(1))
    for entry in fields(Relations):
        same = np.array_equal(getattr(before, entry.name), getattr(after, entry.name))
        assert same != (entry.name == "country")


def test_who_sends_home_has_mostly_said_so(emigrants: AmlWorld) -> None:
    scene = emigrants.scene
    nobody = np.zeros(scene.population.customers, np.bool_)
    rng = np.random.default_rng(1)
    told = inquire(emigrants.config, scene.population, scene.relations, nobody, rng).expects_foreign
    rows, abroad = rows_abroad(emigrants, "spending", "AE", sent=True)
    assert told[scene.relations.payer[rows[abroad]]].mean() > 0.85
