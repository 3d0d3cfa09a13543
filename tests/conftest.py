"""What tests of several rooms share: one running broker of each kind for the whole session, started when asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from streams.brokers import Broker, open_broker


@pytest.fixture(scope="session")
def broker_cache_dir() -> Path:
    """Where Kafka's jars are kept between sessions: the place the command line uses too."""
    return platformdirs.user_cache_path("riskbench")


@pytest.fixture(scope="session")
def broker_apache(tmp_path_factory: pytest.TempPathFactory, broker_cache_dir: Path) -> Iterator[Broker]:
    """A running Apache Kafka. Make topics of your own in it, under names of your own."""
    run_dir = tmp_path_factory.mktemp("apache")
    with open_broker("apache", run_dir=run_dir, cache_dir=broker_cache_dir, environ=os.environ) as broker:
        yield broker


@pytest.fixture(scope="session")
def broker_embedded(tmp_path_factory: pytest.TempPathFactory, broker_cache_dir: Path) -> Iterator[Broker]:
    """A running embedded broker. It slows down as it fills: keep what is written to it small."""
    run_dir = tmp_path_factory.mktemp("embedded")
    with open_broker("embedded", run_dir=run_dir, cache_dir=broker_cache_dir) as broker:
        yield broker


@pytest.fixture(params=[pytest.param(n, marks=pytest.mark.broker(n)) for n in ("apache", "embedded")])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each kind of broker in turn: for what must be the same on both."""
    found: Broker = request.getfixturevalue(f"broker_{request.param}")
    return found
