"""Settings that every test shares."""

import os

import pytest
from hypothesis import settings

# Shared, noisy machines: a slow example is no failure; examples are derived from the test, so that CI repeats them.
settings.register_profile("shared-machine", deadline=None, derandomize=True, database=None)
settings.load_profile("shared-machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Half as many again as there are cores: many a test waits for Kafka and for the processes it started about as long
    as it computes. None, which leaves it to xdist, where its own variable names a number."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return max(2, 3 * (os.cpu_count() or 1) // 2)
