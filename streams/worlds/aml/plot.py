"""A launderers' plot in the making: who takes part, what they move and when, and what they keep to spend."""

from dataclasses import dataclass

import numpy as np

from streams.labels import NS_PER_DAY
from streams.laundering import ROLES, Role
from streams.worlds.aml.config import BLOCK_NS
from streams.worlds.aml.drafts import CASH_IN, NONE, Drafts, join
from streams.worlds.aml.household import foreign_countries
from streams.worlds.aml.moves import move, parts
from streams.worlds.aml.nations import IS_HIGH_RISK, THRESHOLD_USD
from streams.worlds.aml.relations import ANY_FIRM, ANY_PERSON, ANY_SHOP, anybody
from streams.worlds.aml.scene import SETTLED_NS, Scene
from streams.worlds.arrays import Flags, Floats, Ints

PLACED_SHARE = 0.5
ABROAD_SHARE = 0.15
"""Of accomplices, those with an account in another market."""
FRONT_SHARE = 0.3
"""Of accomplices, the businesses."""
KNOWN_CORRIDOR_SHARE = 0.4
"""Of launderers whose account has standing payments abroad, those who use their country."""
STAKE_LOG, STAKE_SIGMA = -1.6, 0.5
STAKE_MIN_USD = 1_000.0
"""Whoever goes to the trouble does so for more than a few hundred."""
PERSON_MAX_USD, FIRM_MAX_USD = 60_000.0, 900_000.0
TRANSFERS_MAX = 30


@dataclass(frozen=True, slots=True)
class Proceeds:
    """What somebody has got to spend: an account, dollars, and from when on."""

    account: int
    usd: float
    from_ns: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """One pattern: its transfers (all of them laundering), its member accounts with codes of `ROLES`, its proceeds."""

    drafts: Drafts
    accounts: Ints
    roles: Ints
    proceeds: tuple[Proceeds, ...]


class Plot:
    """Collects what a typology does. `market` is the country code where it is planned, `begin_ns` when it begins."""

    def __init__(self, scene: Scene, since_ns: int, market: int, rng: np.random.Generator) -> None:
        """Begin at some time of the block that starts at `since_ns`."""
        self.scene, self.market, self.rng = scene, market, rng
        self.begin_ns = since_ns + int(rng.random() * BLOCK_NS)
        self._settled_ns = since_ns - SETTLED_NS
        self._drafts: list[Drafts] = []
        self._members: dict[int, Role] = {}
        self._proceeds: list[Proceeds] = []

    def people(self, count: int, role: Role) -> Ints:
        """Win `count` people of the market, none twice in a plot."""
        return self._enlist(self._strangers(ANY_PERSON, count), role)

    def firms(self, count: int, role: Role, *, shops: bool = False) -> Ints:
        """Win `count` businesses of the market (`shops`: such as take cash)."""
        return self._enlist(self._strangers(ANY_SHOP if shops else ANY_FIRM, count), role)

    def shells(self, count: int, role: Role = "shell") -> Ints:
        """Use `count` companies without trade, a fifth of them abroad; businesses where there are not enough."""
        population = self.scene.population
        shells = np.flatnonzero(population.is_shell)
        near = population.market[shells] == self.market
        wanted = near ^ (self.rng.random(len(shells)) < ABROAD_SHARE)
        chosen = self._free(self.rng.permutation(shells[wanted]))[:count]
        lacking = count - len(chosen)
        found = self._enlist(chosen, role)
        return np.concatenate((found, self.firms(lacking, role))) if lacking else found

    def accomplices(self, principal: int, count: int, role: Role) -> Ints:
        """Win `count` people and fronts: by the world's `circle_share` acquaintances of the principal."""
        rng = self.rng
        known = self.scene.acquaintances.any_of(np.full(3 * count, principal), rng)
        known = known[known != NONE]
        known = self._free(known[~self.scene.population.is_business[self.scene.population.customer[known]]])
        known = known[: int(rng.binomial(count, self.scene.config.circle_share))]
        found = self._enlist(known, role)
        far = self._strangers(ANY_PERSON, int(rng.binomial(count - len(found), ABROAD_SHARE)), elsewhere=True)
        found = np.concatenate((found, self._enlist(far, role)))
        fronts = self.firms(int(rng.binomial(count - len(found), FRONT_SHARE)), role)
        return rng.permutation(np.concatenate((found, fronts, self.people(count - len(found) - len(fronts), role))))

    def dormant(self, role: Role) -> int:
        """Revive a dormant account of the market, or use a person's where there is none."""
        population = self.scene.population
        silent = np.flatnonzero(
            population.dormant & (population.country(np.arange(population.accounts)) == self.market)
        )
        chosen = self._free(self.rng.permutation(silent))[:1]
        return int(self._enlist(chosen, role)[0]) if len(chosen) else int(self.people(1, role)[0])

    def enlist(self, account: int, role: Role) -> int:
        """Take somebody in who is known by other means."""
        return int(self._enlist(np.array([account]), role)[0])

    def strangers(self, kind: int, count: int) -> Ints:
        """Draw people or businesses who are used or paid without knowing: no members."""
        return self._strangers(kind, count)

    def stake(self, account: int) -> float:
        """Draw how much is laundered through an account, against what its customer declared for a month."""
        bold = self.scene.config.boldness
        usd = self.scene.declared_usd[account] * np.exp(self.rng.normal(STAKE_LOG + 0.55 * bold, STAKE_SIGMA))
        most = (
            FIRM_MAX_USD
            if self.scene.population.is_business[self.scene.population.customer[account]]
            else PERSON_MAX_USD
        )
        return float(np.clip(usd, STAKE_MIN_USD, most))

    def parts(self, total: float, count: int, sigma: float = 0.3) -> Floats:
        """Split a sum into uneven parts."""
        return parts(total, count, self.rng, sigma)

    def after_fee(self, usd: Floats) -> Floats:
        """Take off what somebody keeps for passing money on."""
        result: Floats = usd * (1.0 - self.rng.uniform(0.005, 0.04, len(usd)))
        return result

    def abroad(self, account: int, *, high_risk_share: float = 0.3) -> int:
        """Choose a country abroad for an account: by `KNOWN_CORRIDOR_SHARE` one that it pays, or is paid from, as a
        rule, where that draws no eye. A share of 1 wants a high-risk country.
        """
        known = int(self.scene.corridors.any_of(np.array([account]), self.rng)[0])
        suits = known != NONE and (high_risk_share < 1.0 or bool(IS_HIGH_RISK[known]))
        if self.rng.random() < KNOWN_CORRIDOR_SHARE and suits:
            return known
        return int(foreign_countries(np.array([self.market]), self.rng, high_risk_share)[0])

    @property
    def threshold_usd(self) -> float:
        """From how much cash on the market's banks report."""
        return float(THRESHOLD_USD[self.market])

    def move(
        self,
        after_ns: Ints | int,
        payer: Ints | int,
        payee: Ints | int,
        usd: Floats,
        span_h: Floats | float,
        *,
        channel: Ints | int | None = None,
        country: int = NONE,
        round_share: float = 0.3,
    ) -> Ints:
        """Move money (see `moves.move`) and return when each transfer is made."""
        drafts = move(
            self.scene,
            after_ns,
            np.asarray(payer),
            np.asarray(payee),
            usd,
            self.rng,
            span_h=span_h,
            channel=channel,
            country=country,
            round_share=round_share,
        )
        self._drafts.append(drafts)
        return drafts.time_ns

    def place(self, accounts: Ints, usd: Floats) -> Ints:
        """Let dirty money come in at times: as cash if it is below the threshold, or from outside. Return when each
        account has its money (the plot's begin where it had it already).
        """
        begin = np.full(len(accounts), self.begin_ns)
        if self.rng.random() > PLACED_SHARE or len(accounts) > 7:
            return begin
        in_cash = self.rng.random() < 0.6 and usd.max() < self.threshold_usd
        country = NONE if in_cash else (self.market if self.rng.random() < 0.6 else self.abroad(int(accounts[0])))
        return self.move(
            self.begin_ns, NONE, accounts, usd * 1.02, 40.0, channel=CASH_IN if in_cash else None, country=country
        )

    def keep(self, accounts: Ints | int, usd: Floats | float, from_ns: Ints | int) -> None:
        """Say who has got how much to spend as anybody would (integration), from when on."""
        columns = np.broadcast_arrays(np.atleast_1d(accounts), usd, from_ns)
        self._proceeds += [Proceeds(int(a), float(u), int(t)) for a, u, t in zip(*columns, strict=True)]

    def close(self) -> Campaign:
        """Return the campaign; whatever would go beyond a pattern's size is left out, the last first."""
        drafts = join(self._drafts)
        order = np.argsort(drafts.time_ns, kind="stable")[:TRANSFERS_MAX]
        drafts = drafts.take(order)
        drafts = drafts.take(self.scene.opened(drafts) & (drafts.from_account != drafts.to_account))
        accounts = np.array(list(self._members), np.int64)
        roles = np.array([ROLES.index(role) for role in self._members.values()], np.int64)
        seen = np.isin(accounts, np.concatenate((drafts.from_account, drafts.to_account)))
        return Campaign(drafts, accounts[seen], roles[seen], tuple(self._proceeds))

    def _strangers(self, kind: int, count: int, *, elsewhere: bool = False) -> Ints:
        """Draw free accounts of the market; of any where it has not so many, as a small one may not."""
        if not count:
            return np.zeros(0, np.int64)
        population = self.scene.population
        drawn = 6 * count + 12
        if elsewhere:
            markets = np.flatnonzero(population.people)
            country = self.rng.choice(markets, drawn, p=population.people[markets] / population.people.sum())
        else:
            country = np.full(drawn, self.market)
        found = self._free(anybody(population, np.full(drawn, kind), country, self.rng))[:count]
        if len(found) == count or elsewhere:
            return found
        others = self._strangers(kind, drawn, elsewhere=True)
        return np.concatenate((found, others[~np.isin(others, found)][: count - len(found)]))

    def _free(self, accounts: Ints) -> Ints:
        """Those who can be had: each once, settled accounts in use, not in the plot yet."""
        _, first = np.unique(accounts, return_index=True)
        accounts = accounts[np.sort(first)]
        kept: Flags = self.scene.population.opened_at_ns[accounts] <= self._settled_ns
        kept &= ~np.isin(accounts, list(self._members))
        return accounts[kept]

    def _enlist(self, accounts: Ints, role: Role) -> Ints:
        for account in accounts.tolist():
            self._members.setdefault(account, role)
        return accounts


def span_days(drafts: Drafts) -> float:
    """From the first to the last transfer, days."""
    return float(np.ptp(drafts.time_ns) / NS_PER_DAY) if len(drafts) else 0.0
