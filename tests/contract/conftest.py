"""One small world of each domain for all contract tests."""

import pytest

from tests.scorer_case import ScorerCase, build_case
from tests.transfer_case import TransferCase, build_transfer_case


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> ScorerCase:
    return build_case(tmp_path_factory.mktemp("case"))


@pytest.fixture(scope="session")
def transfers(tmp_path_factory: pytest.TempPathFactory) -> TransferCase:
    return build_transfer_case(tmp_path_factory.mktemp("transfers"))
