"""Genuine life of one block: what falls due of monthly payments, and what comes up of the others, here and abroad."""

from dataclasses import dataclass, replace

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.aml.calendar import OFFICE, month_of
from streams.worlds.aml.config import BLOCK_NS
from streams.worlds.aml.drafts import CARD, INSTANT, NONE, WIRE, Drafts
from streams.worlds.aml.flows import FLOWS, SEASONS, column
from streams.worlds.aml.relations import ANY_PERSON, Relations, anybody, some_abroad
from streams.worlds.aml.scene import Scene
from streams.worlds.aml.ties import tied
from streams.worlds.arrays import Flags, Floats, Ints, unit_hash

ABROAD_SHARE = 0.012
"""How many of those who are drawn anew live in any market."""
WIRE_SHARE = 0.8
"""Of payments abroad along a tie, those by wire; the others are instant."""
MONTH_NS = 30 * NS_PER_DAY + 10 * NS_PER_HOUR
_TURNED = ("payer", "payee", "country", "factor", "channel", "timing")
"""What a tie abroad changes of a payment."""
_MONTHLY: Flags = np.array([flow.monthly for flow in FLOWS])
_SIGMA, _ROUND = column("sigma"), column("round_share")
_TIMING: Ints = np.array([flow.timing for flow in FLOWS])


@dataclass(frozen=True, slots=True)
class _Payments:
    """Columns over payments to be made: relation, instant, factor on the sum, parties, way, hours, country outside."""

    row: Ints
    time_ns: Ints
    factor: Floats
    payer: Ints
    payee: Ints
    channel: Ints
    timing: Ints
    country: Ints


def live(scene: Scene, since_ns: int, rng: np.random.Generator) -> Drafts:
    """Draw the genuine transfers of the block that starts at `since_ns`; a few may be made after its end."""
    relations = scene.relations
    due = _abroad(scene, _payments(scene, since_ns, rng), rng)
    flow, payer, payee = relations.flow[due.row], due.payer, due.payee
    side = np.where(payer >= 0, payer, payee)
    time_ns = scene.calendar.settled(due.time_ns, scene.population.country(side), due.timing)
    spread = np.exp(_SIGMA[flow] * rng.standard_normal(len(flow)))
    drafts = scene.pay(
        np.where(time_ns < since_ns, time_ns + NS_PER_DAY, time_ns),
        payer,
        payee,
        due.channel,
        relations.usd[due.row] * due.factor * spread,
        rng,
        country=due.country,
        round_share=_ROUND[flow],
    )
    return drafts.take(np.flatnonzero(scene.opened(drafts) & (payer != payee)))


def _payments(scene: Scene, since_ns: int, rng: np.random.Generator) -> _Payments:
    """What the standing relations bring in the block, as they are."""
    relations, month = scene.relations, month_of(since_ns)
    chosen, time_ns, season = _due(scene, since_ns, month)
    often, coming_ns = _coming(scene, since_ns, month, rng)
    rows = np.concatenate((chosen, often))
    payer, payee = _parties(scene, relations, rows, rng)
    return _Payments(
        row=rows,
        time_ns=np.concatenate((time_ns, coming_ns)),
        factor=np.concatenate((season, np.ones(len(often)))),
        payer=payer,
        payee=payee,
        channel=relations.channel[rows],
        timing=_TIMING[relations.flow[rows]],
        country=relations.country[rows],
    )


def _abroad(scene: Scene, due: _Payments, rng: np.random.Generator) -> _Payments:
    """Let ties abroad turn some payments with anybody to where they lead; but for cards, mostly by wire."""
    relations, population = scene.relations, scene.population
    payer, payee = relations.payer[due.row], relations.payee[due.row]
    with_anybody = (payer < 0) != (payee < 0)
    rows = np.flatnonzero(with_anybody & ((due.payer >= 0) | (due.payee >= 0)))
    pays = payer[rows] >= 0
    customer = population.customer[np.where(pays, payer[rows], payee[rows])]
    ties = tied(population, customer, relations.flow[due.row[rows]], due.time_ns[rows], scene.salt, rng)
    rows, pays = rows[ties.row], pays[ties.row]
    by_card = due.channel[rows] == CARD
    partner = np.where(by_card, NONE, ties.partner)
    wired = rows[~by_card & (rng.random(len(rows)) < WIRE_SHARE)]
    turned = replace(due, **{name: getattr(due, name).copy() for name in _TURNED})
    turned.payer[rows[~pays]], turned.payee[rows[pays]] = partner[~pays], partner[pays]
    turned.country[rows] = ties.country
    turned.factor[rows] *= ties.factor
    turned.channel[rows[~by_card]] = INSTANT
    turned.channel[wired], turned.timing[wired] = WIRE, OFFICE
    return turned


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
