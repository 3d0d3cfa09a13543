"""The warm state's directory: what a worker and the nightly job start from."""

import os
from pathlib import Path

from models.features.ledger import RiskLedger
from models.features.snapshot import DIGEST_BYTES
from models.features.state import FeatureState
from streams.errors import BadInputError

FEATURES = "features.state"
LEDGER = "ledger.state"
REFERENCE = "reference.json"

_AGAIN = "make it again with `python -m scorer warm`"


def load_features(directory: Path) -> FeatureState:
    """The feature state at the end of history. Raises `BadInputError` when it is missing or damaged."""
    path = directory / FEATURES
    _check_there(path)
    return FeatureState.load(path)[0]


def digest_of_features(directory: Path) -> str:
    """What tells one feature state from another: the checksum its file ends with."""
    path = directory / FEATURES
    _check_there(path)
    with path.open("rb") as file:
        file.seek(-DIGEST_BYTES, os.SEEK_END)
        return file.read().hex()


def load_ledger(directory: Path, label_delay_days: int | None = None) -> RiskLedger:
    """The ledger of places at the end of history. Raises `BadInputError` when it is missing, damaged, or made with
    another label delay than is asked for (None: any)."""
    path = directory / LEDGER
    _check_there(path)
    ledger = RiskLedger.load(path)[0]
    if label_delay_days not in (None, ledger.label_delay_days):
        raise BadInputError(
            f"state {directory} was made with a label delay of {ledger.label_delay_days} days, the bundle's is "
            f"{label_delay_days}; {_AGAIN}"
        )
    return ledger


def open_ledger(directory: Path | None, label_delay_days: int) -> RiskLedger:
    """The ledger at the end of history, or an empty one where there was none."""
    return RiskLedger.empty(label_delay_days) if directory is None else load_ledger(directory, label_delay_days)


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise BadInputError(f"state file {path} is not there; {_AGAIN}")
