"""Genuine life of one block: what falls due of monthly payments, and what comes up of the others."""

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.aml.calendar import month_of
from streams.worlds.aml.config import BLOCK_NS
from streams.worlds.aml.drafts import Drafts
from streams.worlds.aml.flows import FLOWS, SEASONS, column
from streams.worlds.aml.relations import ANY_PERSON, Relations, anybody, some_abroad
from streams.worlds.aml.scene import Scene
from streams.worlds.arrays import Flags, Floats, Ints, unit_hash

ABROAD_SHARE = 0.012
"""How many of those who are drawn anew live in any market."""
MONTH_NS = 30 * NS_PER_DAY + 10 * NS_PER_HOUR
_MONTHLY: Flags = np.array([flow.monthly for flow in FLOWS])
_SIGMA, _ROUND = column("sigma"), column("round_share")
_TIMING: Ints = np.array([flow.timing for flow in FLOWS])


def live(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Draw the genuine transfers of the block that starts at `since_ns`; a few may be made after its end."""
    relations, month = scene.relations, month_of(since_ns)
    chosen, time_ns, season = _due(scene, since_ns, month)
    often, coming_ns = _coming(scene, since_ns, month, rng)
    rows = np.concatenate((chosen, often))
    time_ns = np.concatenate((time_ns, coming_ns))
    season = np.concatenate((season, np.ones(len(often))))
    payer, payee = _parties(scene, relations, rows, rng)
    flow = relations.flow[rows]
    side = np.where(payer >= 0, payer, payee)
    time_ns = scene.calendar.settled(time_ns, scene.population.country(side), _TIMING[flow])
    spread = np.exp(_SIGMA[flow] * rng.standard_normal(len(rows)))
    drafts = scene.pay(
        np.where(time_ns < since_ns, time_ns + NS_PER_DAY, time_ns),
        payer,
        payee,
        relations.channel[rows],
        relations.usd[rows] * season * spread,
        rng,
        country=relations.country[rows],
        round_share=_ROUND[flow],
    )
    return drafts.take(np.flatnonzero(scene.opened(drafts) & (payer != payee)))


def _due(scene: Scene, since_ns: int, month: int) -> tuple[Ints, Ints, Floats]:
    """Monthly payments that fall due: rows of relations, instants, and the season's factor on amounts. A relation that
    is due less than once a month is left out in some months.
    """
    relations = scene.relations
    rows = np.flatnonzero(_MONTHLY[relations.flow])
    phase = (unit_hash(rows, scene.salt + 1) * MONTH_NS).astype(np.int64)
    due_ns = phase - (phase - since_ns) // MONTH_NS * MONTH_NS
    falls = due_ns < since_ns + BLOCK_NS
    rows, due_ns = rows[falls], due_ns[falls]
    kept = unit_hash(rows * 4_099 + due_ns // MONTH_NS, scene.salt + 2) < relations.per_week[rows] * MONTH_NS / BLOCK_NS
    rows, due_ns = rows[kept], due_ns[kept]
    return rows, due_ns, SEASONS[relations.flow[rows], month]


def _coming(scene: Scene, since_ns: int, month: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """What comes up in the week: rows of relations, repeated, and instants."""
    relations = scene.relations
    rows = np.flatnonzero(~_MONTHLY[relations.flow])
    expected = relations.per_week[rows] * SEASONS[relations.flow[rows], month]
    often = np.repeat(rows, rng.poisson(expected))
    return often, since_ns + (rng.random(len(often)) * BLOCK_NS).astype(np.int64)


def _parties(scene: Scene, relations: Relations, rows: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Payers and payees; who is not fixed is drawn in the other side's country."""
    payer, payee = relations.payer[rows].copy(), relations.payee[rows].copy()
    for side, other in ((payee, payer), (payer, payee)):
        drawn = np.flatnonzero(side <= ANY_PERSON)
        country = some_abroad(scene.population, scene.population.country(other[drawn]), ABROAD_SHARE, rng)
        side[drawn] = anybody(scene.population, side[drawn], country, rng)
    return payer, payee


def expected_per_block(scene: Scene, since_ns: int) -> float:
    """Genuine transfers to be expected in a block, by whose accounts are open in its middle."""
    relations, middle_ns = scene.relations, since_ns + BLOCK_NS // 2
    opened = np.append(scene.population.opened_at_ns <= middle_ns, True)
    there = opened[np.maximum(relations.payer, -1)] & opened[np.maximum(relations.payee, -1)]
    monthly = _MONTHLY[relations.flow]
    season = np.where(monthly, 1.0, SEASONS[relations.flow, month_of(since_ns)])
    somebody = np.where((relations.payer <= ANY_PERSON) | (relations.payee <= ANY_PERSON), opened[:-1].mean(), 1.0)
    return float((relations.per_week * season * there * somebody).sum())
