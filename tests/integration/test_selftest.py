"""Planted faults through the real instrument on a real Kafka: each is counted exactly."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from harness.selftest.bench import TestBench
from harness.selftest.proofs import prove_faults
from streams.brokers import Broker

pytestmark = [pytest.mark.timeout(180), pytest.mark.broker("apache")]


def test_planted_faults_are_found_exactly(broker_apache: Broker, tmp_path: Path) -> None:
    tokens = (str(number) for number in itertools.count())
    bench = TestBench(broker_apache.connection, tmp_path, lambda: next(tokens))
    assert [found for found in prove_faults(bench.run, np.random.default_rng(3)) if not found.passed] == []
