"""How many tests run side by side."""

import os

import pytest


@pytest.mark.parametrize(("named", "workers"), [("7", 7), (None, max(2, 3 * (os.cpu_count() or 1) // 2))])
def test_half_as_many_again_as_cores_or_as_many_as_are_named(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, named: str | None, workers: int
) -> None:
    name = "PYTEST_XDIST_AUTO_NUM_WORKERS"
    monkeypatch.delenv(name, raising=False)
    if named is not None:
        monkeypatch.setenv(name, named)
    assert pytestconfig.hook.pytest_xdist_auto_num_workers(config=pytestconfig) == workers
