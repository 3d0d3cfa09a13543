"""One small world for all contract tests."""

import pytest

from tests.scorer_case import ScorerCase, build_case


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> ScorerCase:
    return build_case(tmp_path_factory.mktemp("case"))
