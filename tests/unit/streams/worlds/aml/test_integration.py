"""Integration: whoever holds dirty money spends it or passes it on, not only the hub of each pattern."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from streams.labels import NS_PER_DAY
from streams.laundering import ROLES, UNTYPED
from streams.worlds import AmlWorld, AmlWorldConfig
from streams.worlds.aml.budget import APART_MIN, STALE_NS, UNTYPED_CODE, Pattern
from streams.worlds.aml.config import BLOCK_NS
from streams.worlds.aml.drafts import join
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.scene import Scene
from streams.worlds.aml.typologies import TYPOLOGIES
from tests.unit.streams.worlds.aml.test_patterns import usd_of

BLOCKS, TRANSFERS_A_BLOCK = 12, 120.0


def played(world: AmlWorld) -> list[Pattern]:
    """Blocks of laundering alone, many transfers in each."""
    budget = world.budget()
    return [
        pattern
        for block in range(BLOCKS)
        for pattern in budget.play(
            world.scene, world.start_ns + block * BLOCK_NS, TRANSFERS_A_BLOCK, np.random.default_rng([5, block])
        )
    ]


def world_of(weights: Mapping[str, float], untyped_share: float) -> AmlWorld:
    settings: dict[str, Any] = {"typology_weights": weights, "untyped_share": untyped_share}
    return AmlWorld(AmlWorldConfig(customers=1_000, markets=2, **settings), seed=3)


def typed(patterns: list[Pattern]) -> list[Pattern]:
    return [pattern for pattern in patterns if pattern.typology != UNTYPED_CODE]


def spenders(patterns: list[Pattern]) -> list[tuple[int, int]]:
    """Pattern and account of every go, those of patterns of their own left out."""
    return [
        (pattern.number, int(pattern.drafts.from_account[0]))
        for pattern in patterns
        if pattern.typology == UNTYPED_CODE and len(pattern.drafts) and not len(pattern.accounts)
    ]


@pytest.mark.parametrize(
    ("name", "role"), [("fan_out", "mule"), ("gather_scatter", "sink"), ("bipartite", "sink"), ("stack", "sink")]
)
def test_most_receivers_spend_something_where_there_is_budget(name: str, role: str) -> None:
    patterns = played(world_of({name: 1.0}, 0.65))
    spent = set(spenders(patterns))
    receivers = [
        (pattern.number, account)
        for pattern in typed(patterns)[:-3]
        for account in pattern.accounts[pattern.roles == ROLES.index(role)].tolist()
    ]
    assert len(receivers) > 50
    assert np.mean([one in spent for one in receivers]) > 0.6


def test_nobody_spends_twice_while_others_have_not_begun() -> None:
    """With little to spend for many who hold a part, one go each is all there is."""
    gone = spenders(played(world_of({"fan_out": 1.0}, 0.38)))
    assert len(gone) > 50
    assert len(set(gone)) >= 0.95 * len(gone)


def test_who_only_received_comes_before_who_passed_it_on() -> None:
    """Ghosts who keep all of their wages spend; of those who passed most of it on few do."""
    patterns = played(world_of({"payroll_integration": 1.0}, 0.3))
    spent, found = set(spenders(patterns)), {True: [0, 0], False: [0, 0]}
    for pattern in typed(patterns):
        for ghost in pattern.accounts[pattern.roles == ROLES.index("mule")].tolist():
            count = found[bool((pattern.drafts.from_account == ghost).any())]
            count[0] += (pattern.number, ghost) in spent
            count[1] += 1
    passed_on, kept = (found[paid][0] / found[paid][1] for paid in (True, False))
    assert kept > 1.5 * passed_on


def test_it_is_spent_within_days_after_it_came(frame: pd.DataFrame) -> None:
    got = frame[frame["is_laundering"] & (frame["typology"] != UNTYPED)].groupby("pattern_id")["event_time_ns"].min()
    spent = frame[(frame["typology"] == UNTYPED) & frame["pattern_id"].isin(got.index)]
    days = (spent["event_time_ns"] - got.loc[spent["pattern_id"]].to_numpy()) / NS_PER_DAY
    assert days.min() >= 0
    assert days.quantile(0.9) <= (STALE_NS + 2 * BLOCK_NS) / NS_PER_DAY


def test_a_pattern_of_its_own_is_rare_and_more_than_one_transfer(world: AmlWorld) -> None:
    alone = [one for one in played(world) if one.typology == UNTYPED_CODE and len(one.accounts)]
    goes = [one for one in played(world) if one.typology == UNTYPED_CODE]
    assert 0 < len(alone) <= 0.08 * len(goes)
    assert np.mean([len(one.drafts) >= APART_MIN for one in alone]) > 0.8  # an account paid may not be open yet


def test_the_shares_hold_and_the_same_seed_spends_the_same() -> None:
    one, other = (played(world_of({}, 0.38)) for _ in range(2))
    assert all((a.drafts.time_ns == b.drafts.time_ns).all() for a, b in zip(one, other, strict=True))
    drafts = join([pattern.drafts for pattern in one])
    assert len(drafts) == pytest.approx(BLOCKS * TRANSFERS_A_BLOCK, rel=0.03)
    assert (drafts.typology == UNTYPED_CODE).mean() == pytest.approx(0.38, abs=0.02)


@pytest.mark.parametrize("name", TYPOLOGIES)
def test_who_only_received_keeps_no_more_than_came_and_not_before(scene: Scene, name: str) -> None:
    for seed in range(6):
        plot = Plot(scene, scene.config.start_ns, 0, np.random.default_rng(seed))
        TYPOLOGIES[name].play(plot)
        campaign = plot.close()
        drafts, usd = campaign.drafts, usd_of(campaign)
        assert campaign.proceeds
        for account in {one.account for one in campaign.proceeds} & set(campaign.accounts.tolist()):
            kept = [one for one in campaign.proceeds if one.account == account]
            got = drafts.to_account == account
            if (drafts.from_account == account).any():
                continue
            assert sum(one.usd for one in kept) <= 1.1 * usd[got].sum()
            assert min(one.from_ns for one in kept) >= drafts.time_ns[got].min()
