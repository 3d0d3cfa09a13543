"""How much laundering there still has to be: plots are played until each typology has had its share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from streams.labels import NS_PER_DAY
from streams.laundering import ROLES
from streams.worlds.aml.config import BLOCK_NS
from streams.worlds.aml.drafts import Drafts
from streams.worlds.aml.integration import TRANSFERS_MIN, integrate
from streams.worlds.aml.plot import Campaign, Plot, Proceeds
from streams.worlds.aml.scene import Scene
from streams.worlds.aml.typologies import TYPOLOGIES
from streams.worlds.arrays import Floats, Ints

UNTYPED_CODE = len(TYPOLOGIES)
"""Typology code of integration, behind those of the registry."""
BENEFICIARY = ROLES.index("beneficiary")
LEAST_PROCEEDS_USD, SPENT_TWICE_USD = 100.0, 800.0
STALE_NS = 10 * NS_PER_DAY
"""What was not begun to be spent so long after it was got is never seen again."""
TRIES = 20
APART_SHARE = 0.06
"""Of what is spent, the part that nobody links to the pattern it came from: a pattern of its own, of one customer."""
APART_MIN, APART_USD_MIN = 2, 1_000.0
"""Transfers of such a pattern at least, and what there is to spend: of less nobody could say anything."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern that has begun: its number, typology's code, transfers, members with roles. Where money of an earlier
    pattern is spent, the number is that pattern's, and there are no members beyond its own."""

    number: int
    typology: int
    drafts: Drafts
    accounts: Ints
    roles: Ints


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a member of a pattern has kept to spend, and in how many goes."""

    proceeds: Proceeds
    pattern: int
    goes: int


class LaunderingBudget:
    """Keeps the share of laundering over a long run, whatever size patterns turn out to be.

    What one pattern takes too much is missing to the next: the error never exceeds one pattern. Integration follows
    typed patterns: it spends what their members kept.
    """

    def __init__(
        self,
        weights: Sequence[float],
        untyped_share: float,
        market_shares: Floats,
        mixes: Sequence[Mapping[str, float]],
    ) -> None:
        """Take one weight a typology (0: it does not happen), and of every country the share of customers and its
        factors on the typologies.
        """
        self._plays = tuple(TYPOLOGIES.values())
        self._shares = np.append(np.asarray(weights) * (1.0 - untyped_share), untyped_share)
        self._markets = np.array(
            [
                [mix.get(name, 1.0) * share for mix, share in zip(mixes, market_shares, strict=True)]
                for name in TYPOLOGIES
            ]
        )
        self._wanted = 0.0
        self._planned = np.zeros(len(self._shares))
        self._kept: list[_Kept] = []
        self._begun: list[_Kept] = []
        self._patterns = 0

    def play(self, scene: Scene, since_ns: int, transfers: float, rng: np.random.Generator) -> list[Pattern]:
        """Play the plots of one block, in which `transfers` are to be laundering, the one furthest behind first."""
        self._wanted += transfers
        for kept in (self._kept, self._begun):
            kept[:] = [one for one in kept if one.proceeds.from_ns >= since_ns - STALE_NS]
        begun: list[Pattern] = []
        while self._planned.sum() < self._wanted:
            behind = np.where(self._shares > 0, self._shares * self._wanted - self._planned, -np.inf)
            code = int(np.argmax(behind))
            if code == UNTYPED_CODE and not (self._kept or self._begun):
                code = int(np.argmax(behind[:-1]))
            pattern = (
                self._integration(scene, since_ns, rng)
                if code == UNTYPED_CODE
                else self._plot(scene, since_ns, code, rng)
            )
            self._planned[code] += len(pattern.drafts)
            self._patterns += 1
            begun.append(pattern)
        return begun

    def _plot(self, scene: Scene, since_ns: int, code: int, rng: np.random.Generator) -> Pattern:
        weight = self._markets[code]
        for _ in range(TRIES):
            market = int(rng.choice(len(weight), p=weight / weight.sum()))
            plot = Plot(scene, since_ns, market, rng)
            self._plays[code].play(plot)
            campaign = plot.close()
            if len(campaign.drafts) >= 2:
                break
        self._keep(campaign, rng)
        drafts = campaign.drafts.marked(pattern=self._patterns, typology=code)
        return Pattern(self._patterns, code, drafts, campaign.accounts, campaign.roles)

    def _keep(self, campaign: Campaign, rng: np.random.Generator) -> None:
        """Put what was kept on the list, behind them those who have paid nothing yet; much is there for two goes."""
        members, payers = set(campaign.accounts.tolist()), set(campaign.drafts.from_account.tolist())
        kept = [one for one in campaign.proceeds if one.usd >= LEAST_PROCEEDS_USD and one.account in members]
        shuffled = [kept[place] for place in rng.permutation(len(kept))]
        for one in sorted(shuffled, key=lambda one: one.account not in payers):
            self._kept.append(_Kept(one, self._patterns, 2 if one.usd >= SPENT_TWICE_USD else 1))

    def _next_kept(self) -> _Kept:
        """Take from the list what somebody spends next: everybody once before anybody for the second time."""
        kept = (self._kept or self._begun).pop()
        now = replace(kept, proceeds=replace(kept.proceeds, usd=kept.proceeds.usd / kept.goes), goes=1)
        if kept.goes > 1:
            self._begun.append(now)
        return now

    def _integration(self, scene: Scene, since_ns: int, rng: np.random.Generator) -> Pattern:
        kept = self._next_kept()
        later_ns = since_ns + int(rng.random() * BLOCK_NS)
        proceeds = kept.proceeds
        proceeds = replace(proceeds, from_ns=proceeds.from_ns if proceeds.from_ns >= since_ns else later_ns)
        apart = proceeds.usd >= APART_USD_MIN and rng.random() < APART_SHARE
        drafts = integrate(scene, proceeds, rng, least=APART_MIN if apart else TRANSFERS_MIN)
        drafts = drafts.take(scene.opened(drafts))
        number = self._patterns if apart else kept.pattern
        member = np.array([proceeds.account] if apart else [], np.int64)
        role = np.full(len(member), BENEFICIARY)
        return Pattern(number, UNTYPED_CODE, drafts.marked(pattern=number, typology=UNTYPED_CODE), member, role)
