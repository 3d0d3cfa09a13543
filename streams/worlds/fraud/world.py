"""The card world in time: block after block, genuine spending, look-alikes and campaigns are drawn and put in order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from streams.labels import NS_PER_S
from streams.worlds.arrays import Flags, Floats
from streams.worlds.fraud.budget import FraudBudget
from streams.worlds.fraud.categories import hours_of_week
from streams.worlds.fraud.config import BLOCK_NS, FraudWorldConfig, check_look_alikes, named_shares
from streams.worlds.fraud.drafts import Drafts, join, no_drafts
from streams.worlds.fraud.geography import COUNTRY_CODES, Places, lay_out
from streams.worlds.fraud.look_alikes import LOOK_ALIKES
from streams.worlds.fraud.membership import settled_members
from streams.worlds.fraud.outlets import open_outlets
from streams.worlds.fraud.population import Population, settle
from streams.worlds.fraud.refunds import REFUNDS_PER_EVENT, returned_goods
from streams.worlds.fraud.scenarios import SCENARIOS
from streams.worlds.fraud.scene import Scene, settled_circumstances
from streams.worlds.fraud.spending import spend
from streams.worlds.fraud.standing_orders import PER_CARD_IN_A_BLOCK, standing_orders
from streams.worlds.fraud.tables import TableWriter, table_writer
from streams.worlds.world import Block, WorldTables, collect

WARM_UP_BLOCKS = 9
"""Blocks lived through before the start, for campaigns, trips and phones only: the first day is like any other."""
_PLACES, _PEOPLE, _OUTLETS, _NAMES, _SALT, _LIVING, _SPENDING, _CRIME, _REPORTS = range(9)
_TICK_NS = 1_000_000
_CODE = {name: code for code, name in enumerate(LOOK_ALIKES)}


class FraudWorld:
    """Cards, their customers, and those who are after them. See `streams.worlds.world.World`."""

    def __init__(self, config: FraudWorldConfig, seed: int) -> None:
        """Settle the population. Raises BadInputError for names or shares the registries do not know."""
        self.config = config
        self.seed = seed
        self._weights = named_shares(
            "scenario_weights", config.scenario_weights, {name: scenario.share for name, scenario in SCENARIOS.items()}
        )
        defaults = {name: look_alike.share for name, look_alike in LOOK_ALIKES.items()}
        check_look_alikes(config.look_alike_shares)
        shares = named_shares("look_alike_shares", config.look_alike_shares, defaults)
        self._look_alike_shares = [share * config.look_alike_factor for share in shares]
        self._places = lay_out(config.home_shares, config.cards, self._rng(_PLACES))
        self._population = settle(config, self._places, self._rng(_PEOPLE))
        crowd = _town_cards(self._places, self._population)
        self._outlets = open_outlets(self._places, crowd, self._rng(_OUTLETS))
        self._writer = table_writer(self.scene(), self._rng(_NAMES))

    @property
    def start_ns(self) -> int:
        """First instant of event time."""
        return self.config.start_ns

    def blocks(self) -> Iterator[Block]:
        """Yield weeks of events and labels, without end; every call begins anew with the same weeks."""
        life = _Life(self, self._writer)
        for block in range(-WARM_UP_BLOCKS, 0):
            life.warm_up(block)
        block = 0
        while True:
            yield life.live(block)
            block += 1

    def generate(self, history_days: int, stream_events: int) -> WorldTables:
        """Return the first `history_days` as history and the next `stream_events` events as the stream."""
        return collect(self, history_days, stream_events)

    def scene(self) -> Scene:
        """Set the scene as it is before the first block: nobody travels yet."""
        weekday = datetime.fromtimestamp(self.start_ns // NS_PER_S, UTC).weekday()
        before_ns = self.start_ns - (WARM_UP_BLOCKS + 52) * BLOCK_NS
        return Scene(
            config=self.config,
            places=self._places,
            population=self._population,
            outlets=self._outlets,
            circumstances=settled_circumstances(self._population.customers, before_ns),
            members=settled_members(self._population, before_ns),
            hours=hours_of_week(weekday),
            salt=int(self._rng(_SALT).integers(0, 2**62)),
        )

    def profiles(self) -> pa.Table:
        """Return who holds each card, as a table of PROFILE_SCHEMA; cards yet to be opened are in it too."""
        return self._writer.profiles()

    def budget(self) -> FraudBudget:
        """Begin to count the fraud there has to be."""
        wanted = self.config.fraud_share * self.config.events_per_block
        return FraudBudget(tuple(SCENARIOS.values()), self._weights, wanted)

    def look_alike_events(self) -> dict[str, float]:
        """Events wanted of each look-alike in a block."""
        return dict(zip(LOOK_ALIKES, np.array(self._look_alike_shares) * self.config.events_per_block, strict=True))

    def block_rng(self, purpose: int, block: int) -> np.random.Generator:
        """Return the generator of one purpose in one block; blocks before the start have negative numbers."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, purpose, block + WARM_UP_BLOCKS]))

    def _rng(self, purpose: int) -> np.random.Generator:
        return self.block_rng(purpose, -WARM_UP_BLOCKS)


class _Life:
    """One passage through event time: what is still to come of campaigns and outings, and the events so far."""

    def __init__(self, world: FraudWorld, writer: TableWriter) -> None:
        self._world = world
        self._scene = world.scene()
        self._writer = writer
        self._budget = world.budget()
        self._look_alikes = world.look_alike_events()
        self._spending = _ordinary_events(world.config, self._look_alikes)
        self._coming = no_drafts()
        self._events = 0

    def warm_up(self, block: int) -> None:
        """Live through a block before the start; only what reaches beyond the start is kept."""
        self._gather(block)
        drafts = join([self._coming, *self._happen(block), *self._crimes(block)])
        self._coming = drafts.take(drafts.time_ns >= self._world.start_ns)

    def live(self, block: int) -> Block:
        """Live through a block: everything in it, in order, as tables."""
        since_ns = self._since_ns(block)
        self._gather(block)
        happened = self._happen(block)
        rng = self._world.block_rng(_SPENDING, block)
        spent = spend(self._scene, since_ns, self._spending, _CODE, rng)
        back = returned_goods(self._scene, spent, rng)
        orders = standing_orders(self._scene, since_ns)
        drafts = join([spent, back, orders, *happened, *self._crimes(block), self._coming])
        now = drafts.time_ns < since_ns + BLOCK_NS
        self._coming = drafts.take(~now)
        return self._write(self._in_order(drafts, now), block)

    def _gather(self, block: int) -> None:
        since_ns = self._since_ns(block)
        self._scene.members.gather(self._scene.population, since_ns, since_ns + BLOCK_NS)

    def _in_order(self, drafts: Drafts, now: Flags) -> Drafts:
        """Sort what is paid now by event time, in whole milliseconds as payment messages carry it; leave out what would
        be paid with cards that are not open yet, or not any more.
        """
        held = self._scene.members.holds(self._scene.population.customer[drafts.card], drafts.time_ns)
        rows = np.flatnonzero(now & held)
        ticks = drafts.time_ns[rows] // _TICK_NS * _TICK_NS
        order = np.argsort(ticks, kind="stable")
        return replace(drafts.take(rows[order]), time_ns=ticks[order])

    def _since_ns(self, block: int) -> int:
        return self._world.start_ns + block * BLOCK_NS

    def _happen(self, block: int) -> list[Drafts]:
        rng = self._world.block_rng(_LIVING, block)
        return [
            look_alike.occur(self._scene, self._since_ns(block), self._look_alikes[name], rng).marked(
                look_alike=_CODE[name]
            )
            for name, look_alike in LOOK_ALIKES.items()
        ]

    def _crimes(self, block: int) -> list[Drafts]:
        return self._budget.launch(self._scene, self._since_ns(block), self._world.block_rng(_CRIME, block))

    def _write(self, drafts: Drafts, block: int) -> Block:
        first = self._events
        self._events += len(drafts)
        reports = self._world.block_rng(_REPORTS, block)
        return self._writer.events(drafts, first), self._writer.labels(drafts, first, reports)


def _ordinary_events(config: FraudWorldConfig, look_alikes: dict[str, float]) -> float:
    """Events a block leaves to ordinary spending, after all that is added to it."""
    added = sum(look_alikes[name] * look_alike.added for name, look_alike in LOOK_ALIKES.items())
    left = config.events_per_block * (1.0 - config.fraud_share) - added - config.cards * PER_CARD_IN_A_BLOCK
    return max(left, 0.0) / (1.0 + REFUNDS_PER_EVENT)


def _town_cards(places: Places, population: Population) -> Floats:
    """Cards at home in each town, and in the country of each online shelf; a crowd of visitors where nobody lives."""
    active = population.customer[population.customer < population.active_customers]
    here = np.bincount(population.home[active], minlength=len(places.country)).astype(np.float64)
    by_country = np.bincount(places.country, weights=here, minlength=len(COUNTRY_CODES))
    crowd = np.where(places.is_online, by_country[places.country], here)
    return np.asarray(np.maximum(crowd, 0.02 * len(active)))
