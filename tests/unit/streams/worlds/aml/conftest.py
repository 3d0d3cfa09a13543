"""One world of twelve weeks for all tests that look at transfers."""

import itertools

import pandas as pd
import pyarrow as pa
import pytest

from streams.markets import MARKETS
from streams.worlds import AmlWorld, AmlWorldConfig
from streams.worlds.aml.config import BLOCK_NS
from streams.worlds.aml.scene import Scene

WEEKS = 12


@pytest.fixture(scope="package")
def world() -> AmlWorld:
    return AmlWorld(AmlWorldConfig(customers=2_500, markets=6), seed=11)


@pytest.fixture(scope="package")
def frame(world: AmlWorld) -> pd.DataFrame:
    """Twelve weeks of transfers beside their truth, `usd` with them."""
    blocks = list(itertools.islice(world.blocks(), WEEKS))
    transfers = pa.concat_tables([block[0] for block in blocks]).to_pandas()
    truth = pa.concat_tables([block[1] for block in blocks]).to_pandas()
    assert (transfers["event_id"] == truth["event_id"]).all()
    per_usd = {market.currency: market.minor_per_usd for market in MARKETS.values()}
    transfers["usd"] = transfers["amount_minor"] / transfers["currency"].astype(str).map(per_usd)
    return pd.concat([transfers, truth.drop(columns="event_id")], axis=1)


@pytest.fixture(scope="package")
def members(world: AmlWorld) -> pd.DataFrame:
    return world.members(world.start_ns + WEEKS * BLOCK_NS).to_pandas()


@pytest.fixture(scope="package")
def accounts(world: AmlWorld) -> pd.DataFrame:
    return world.accounts().to_pandas().set_index("account_id")


@pytest.fixture(scope="package")
def scene(world: AmlWorld) -> Scene:
    return world.scene
