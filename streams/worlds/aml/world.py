"""The money-laundering world in time: block after block, life, look-alikes and plots are drawn and put in order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from streams.markets import MARKETS
from streams.worlds.aml.budget import LaunderingBudget, Pattern
from streams.worlds.aml.calendar import open_calendar
from streams.worlds.aml.config import BLOCK_NS, AmlWorldConfig, named_weights
from streams.worlds.aml.diligence import inquire
from streams.worlds.aml.drafts import Drafts, join, no_drafts
from streams.worlds.aml.household import enter_households
from streams.worlds.aml.living import expected_per_block, live
from streams.worlds.aml.look_alikes import LOOK_ALIKES
from streams.worlds.aml.population import settle
from streams.worlds.aml.relations import RelationBook
from streams.worlds.aml.remittances import sent_home
from streams.worlds.aml.scene import Scene, acquaint, corridors_of
from streams.worlds.aml.tables import table_writer
from streams.worlds.aml.ties import foreseen
from streams.worlds.aml.trade import close_gaps, enter_trade
from streams.worlds.aml.typologies import TYPOLOGIES
from streams.worlds.world import Block, WorldTables, collect

WARM_UP_BLOCKS = 4
"""Blocks lived through before the start, for plots and look-alikes only: the first day is like any other."""
_PEOPLE, _RELATIONS, _DILIGENCE, _NAMES, _SALT, _LIVING, _LOOK_ALIKES, _CRIME, _KIN = range(9)
TICK_NS = 1_000_000
"""Event times are whole milliseconds, as payment messages carry them."""


@dataclass(frozen=True, slots=True)
class AmlTables(WorldTables):
    """A stretch of the money-laundering world. Events have TRANSFER_SCHEMA, labels LAUNDERING_SCHEMA; `members`
    (MEMBER_SCHEMA) are those of all patterns of which the stretch shows a transfer, `accounts` (ACCOUNT_SCHEMA) all.
    """

    members: pa.Table
    accounts: pa.Table


class AmlWorld:
    """People, businesses, and launderers among them. See `streams.worlds.world.World`."""

    def __init__(self, config: AmlWorldConfig, seed: int) -> None:
        """Settle the population. Raises BadInputError for names the registries do not know."""
        self.config, self.seed = config, seed
        typologies = {name: typology.share for name, typology in TYPOLOGIES.items()}
        self._weights = named_weights("typology_weights", config.typology_weights, typologies)
        shares = {name: look_alike.share for name, look_alike in LOOK_ALIKES.items()}
        self._look_alikes = named_weights("look_alike_weights", config.look_alike_weights, shares)
        population = settle(config, self._rng(_PEOPLE))
        book, rng = RelationBook(), self._rng(_RELATIONS)
        enter_households(book, population, rng)
        enter_trade(book, population, rng)
        relations = close_gaps(book, population, rng)
        relations = sent_home(relations, population, self._rng(_KIN)).paced(config.activity)
        salt = int(self._rng(_SALT).integers(0, 2**62))
        ties = foreseen(population, config.start_ns, salt)
        diligence = inquire(config, population, relations, ties, self._rng(_DILIGENCE))
        self.scene = Scene(
            config=config,
            population=population,
            relations=relations,
            acquaintances=acquaint(population, relations),
            corridors=corridors_of(population, relations),
            calendar=open_calendar(config.market_codes, config.start_ns),
            turnover_usd=diligence.turnover_usd,
            declared_usd=diligence.monthly_usd,
            salt=salt,
        )
        self.writer = table_writer(population, diligence, salt, self._rng(_NAMES))

    @property
    def start_ns(self) -> int:
        """First instant of event time."""
        return self.config.start_ns

    def blocks(self) -> Iterator[Block]:
        """Yield weeks of transfers and their truth, without end; every call begins anew with the same weeks."""
        coming, budget, events = no_drafts(), self.budget(), 0
        for block in range(-WARM_UP_BLOCKS, 2**31):
            since_ns = self.start_ns + block * BLOCK_NS
            patterns = self._crimes(budget, block)
            drawn = [coming, *self._happen(block), *(pattern.drafts for pattern in patterns)]
            if block >= 0:
                drawn.append(live(self.scene, since_ns, self.block_rng(_LIVING, block)))
            drafts = join(drawn)
            now = drafts.time_ns < since_ns + BLOCK_NS
            coming = drafts.take(~now)
            if block >= 0:
                ordered = _in_order(drafts.take(now))
                yield self.writer.transfers(ordered, events), self.writer.truth(ordered, events)
                events += len(ordered)

    def accounts(self) -> pa.Table:
        """Return every account and what its bank knows of it (ACCOUNT_SCHEMA), accounts yet to be opened included."""
        return self.writer.accounts()

    def profiles(self) -> pa.Table:
        """Return the accounts: in this world they say who holds what."""
        return self.accounts()

    def members(self, until_ns: int) -> pa.Table:
        """Return who belongs to the patterns that show a transfer from the start on and before `until_ns`
        (MEMBER_SCHEMA).
        """
        begun: list[Pattern] = []
        shown: set[int] = set()
        budget, block = self.budget(), -WARM_UP_BLOCKS
        while self.start_ns + block * BLOCK_NS < until_ns:
            for pattern in self._crimes(budget, block):
                begun.append(pattern)
                time_ns = pattern.drafts.time_ns
                if ((time_ns >= self.start_ns) & (time_ns < until_ns)).any():
                    shown.add(pattern.number)
            block += 1
        return self.writer.members([pattern for pattern in begun if pattern.number in shown])

    def generate(self, history_days: int, stream_events: int) -> AmlTables:
        """Return the first `history_days` as history and the next `stream_events` transfers as the stream, with the
        members of every pattern in it and all accounts.
        """
        tables = collect(self, history_days, stream_events)
        part = tables.stream_events if len(tables.stream_events) else tables.history_events
        until_ns = int(part["event_time_ns"][-1].as_py()) + TICK_NS if len(part) else self.start_ns
        stretch = {name: getattr(tables, name) for name in WorldTables.__slots__}
        return AmlTables(**stretch, members=self.members(until_ns), accounts=self.accounts())

    def budget(self) -> LaunderingBudget:
        """Begin to count the laundering there has to be."""
        population = self.scene.population
        sizes = (population.people + population.firms).astype(np.float64)
        mixes = [market.typology_mix for market in MARKETS.values()]
        return LaunderingBudget(self._weights, self.config.untyped_share, sizes / sizes.sum(), mixes)

    def block_rng(self, purpose: int, block: int) -> np.random.Generator:
        """Return the generator of one purpose in one block; blocks before the start have negative numbers."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, purpose, block + WARM_UP_BLOCKS]))

    def look_alike_transfers(self, since_ns: int) -> dict[str, float]:
        """Transfers wanted of each look-alike in a block."""
        share = self.config.look_alike_share * self.config.look_alike_factor
        wanted = expected_per_block(self.scene, since_ns) * share / (1.0 - share)
        return {name: wanted * weight for name, weight in zip(LOOK_ALIKES, self._look_alikes, strict=True)}

    def _rng(self, purpose: int) -> np.random.Generator:
        return self.block_rng(purpose, -WARM_UP_BLOCKS)

    def _happen(self, block: int) -> list[Drafts]:
        rng, since_ns = self.block_rng(_LOOK_ALIKES, block), self.start_ns + block * BLOCK_NS
        wanted = self.look_alike_transfers(since_ns)
        drafts = []
        for code, (name, look_alike) in enumerate(LOOK_ALIKES.items()):
            found = look_alike.occur(self.scene, since_ns, wanted[name], rng)
            found = found.take(self.scene.opened(found) & (found.from_account != found.to_account))
            drafts.append(found.marked(look_alike=code))
        return drafts

    def _crimes(self, budget: LaunderingBudget, block: int) -> list[Pattern]:
        since_ns = self.start_ns + block * BLOCK_NS
        imitated = self.config.look_alike_share * self.config.look_alike_factor
        genuine = expected_per_block(self.scene, since_ns) / (1.0 - imitated)
        wanted = genuine * self.config.laundering_share / (1.0 - self.config.laundering_share)
        return budget.play(self.scene, since_ns, wanted, self.block_rng(_CRIME, block))


def _in_order(drafts: Drafts) -> Drafts:
    """Sort by event time, in whole milliseconds as payment messages carry it."""
    ticks = drafts.time_ns // TICK_NS * TICK_NS
    order = np.argsort(ticks, kind="stable")
    return replace(drafts.take(order), time_ns=ticks[order])
