"""The warm state's files: there, whole, and made for this bundle."""

from pathlib import Path

import pytest

from models.features.ledger import RiskLedger
from scorer.state_files import LEDGER, load_features, load_ledger, open_ledger
from streams.errors import BadInputError


def test_a_state_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for load in (load_features, load_ledger):
        with pytest.raises(BadInputError, match="is not there"):
            load(tmp_path)


def test_without_history_the_ledger_is_empty() -> None:
    assert open_ledger(None, 5).label_delay_days == 5


def test_a_ledger_of_another_label_delay_is_refused(tmp_path: Path) -> None:
    RiskLedger.empty(3).save(tmp_path / LEDGER, {})
    assert load_ledger(tmp_path).label_delay_days == 3
    assert open_ledger(tmp_path, 3).label_delay_days == 3
    with pytest.raises(BadInputError, match="label delay of 3 days, the bundle's is 7"):
        open_ledger(tmp_path, 7)
