"""One world of fourteen weeks for all tests that look at events."""

import itertools

import pandas as pd
import pyarrow as pa
import pytest

from streams.worlds import FraudWorld, FraudWorldConfig
from streams.worlds.fraud.scene import Scene

WEEKS = 14


@pytest.fixture(scope="package")
def world() -> FraudWorld:
    return FraudWorld(FraudWorldConfig(cards=2_000), seed=11)


@pytest.fixture(scope="package")
def frame(world: FraudWorld) -> pd.DataFrame:
    """Fourteen weeks of events beside their labels."""
    blocks = list(itertools.islice(world.blocks(), WEEKS))
    events = pa.concat_tables([block[0] for block in blocks]).to_pandas()
    labels = pa.concat_tables([block[1] for block in blocks]).to_pandas()
    assert (events["event_id"] == labels["event_id"]).all()
    return pd.concat([events, labels.drop(columns="event_id")], axis=1)


@pytest.fixture
def scene(world: FraudWorld) -> Scene:
    return world.scene()
