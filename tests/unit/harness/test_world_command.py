"""`bench world aml`: what it writes, and what it refuses."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.cli import main
from streams.account import ACCOUNT_SCHEMA
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA
from streams.transfer import TRANSFER_SCHEMA

SMALL = ("--customers", "300", "--history-days", "7", "--transfers", "400")


def test_the_money_laundering_world_is_written_as_parquet(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["world", "aml", "--out", str(tmp_path / "w"), "--markets", "de, AE", *SMALL])
    assert ended.value.code == 0
    tables = {path.stem: pq.read_table(path) for path in (tmp_path / "w").iterdir()}
    assert {name: table.schema.names for name, table in tables.items()} == {
        "history": TRANSFER_SCHEMA.names,
        "history_labels": LAUNDERING_SCHEMA.names,
        "events": TRANSFER_SCHEMA.names,
        "labels": LAUNDERING_SCHEMA.names,
        "accounts": ACCOUNT_SCHEMA.names,
        "members": MEMBER_SCHEMA.names,
    }
    assert len(tables["events"]) == len(tables["labels"]) == 400
    assert set(tables["accounts"]["market"].to_pylist()) == {"DE", "AE"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--markets", "XX"), "'XX'; known are DE"),
        (("--markets", "999"), "allowed are 1 to"),
        (("--customers", "3"), "customers is 3"),
        (("--history-days", "-1"), "history_days is -1"),
    ],
)
def test_refusals_name_the_key_and_end_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: tuple[str, str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["world", "aml", "--out", str(tmp_path), *asked])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
