"""Somebody's transfers and accounts: read right with their truth, or refused with file, column, row and value."""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from streams.account import ACCOUNT_SCHEMA
from streams.datasets import TransferDataset, load_transfers, shipped_transfer_mappings
from streams.datasets.attempts import read_attempts
from streams.errors import BadInputError
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA
from streams.transfer import TRANSFER_SCHEMA

SAMPLE = Path(__file__).parents[4] / "shared" / "data"
TRANS = """\
Timestamp,From Bank,Account,To Bank,Account,Amount Received,Receiving Currency,Amount Paid,Payment Currency,\
Payment Format,Is Laundering
2022/09/01 00:20,010,8000EBD30,010,8000EBD30,3697.34,US Dollar,3697.34,US Dollar,Reinvestment,0
2022/09/01 00:05,0011,8000F5340,010,8000EBD30,18264.20,Euro,2651,Yen,ACH,1
2022/09/01 00:06,0011,8000F5340,012,80011F990,2848.96,Euro,2848.96,Euro,Wire,1
2022/09/01 00:06,0011,8000F5340,012,80011F990,2848.96,Euro,2848.96,Euro,Wire,1
2022/09/01 00:30,010,8000EBD30,099,80FFFFFFF,12.50,Euro,12.50,Euro,Credit Card,0
2022/09/01 00:31,012,80011F990,010,8000EBD30,1046302363294.00,Ruble,1046302363294.00,Ruble,Cheque,1
2022/09/01 00:40,012,8000EBD30,010,8000EBD30,0.00000123,Bitcoin,0.00000123,Bitcoin,Bitcoin,0
"""
ACCOUNTS = """\
Bank Name,Bank ID,Account Number,Entity ID,Entity Name
Portugal Bank #500,10,8000EBD30,E1,Corporation #82502
Some Bank,11,8000F5340,E2,Individual #3
Other Bank,12,80011F990,E1,Sole Proprietorship #4
Other Bank,12,8000EBD30,E4,Partnership #9
"""
PATTERNS = """\
BEGIN LAUNDERING ATTEMPT - FAN-OUT:  Max 2-degree Fan-Out
2022/09/01 00:05,0011,8000F5340,010,8000EBD30,18264.20,Euro,2651,Yen,ACH,1
2022/09/01 00:06,0011,8000F5340,012,80011F990,2848.96,Euro,2848.96,Euro,Wire,1
END LAUNDERING ATTEMPT - FAN-OUT

BEGIN LAUNDERING ATTEMPT - SCATTER-GATHER
2022/09/01 00:06,0011,8000F5340,012,80011F990,2848.96,Euro,2848.96,Euro,Wire,1
2022/09/11 00:06,0011,8000F5340,012,80011F990,1.00,Euro,1.00,Euro,Wire,1
END LAUNDERING ATTEMPT - SCATTER-GATHER
"""


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return written(tmp_path, HI_Trans__csv=TRANS, HI_accounts__csv=ACCOUNTS, HI_Patterns__txt=PATTERNS)


def amlworld(folder: Path) -> TransferDataset:
    return load_transfers(folder / "HI_Trans.csv", folder / "HI_accounts.csv")


def test_shipped_maps_are_whole() -> None:
    assert set(shipped_transfer_mappings()) == {"amlsim", "amlsim-nodes", "amlworld", "riskbench"}


def test_amlworld_is_recognised_and_keeps_its_schemas(world: Path) -> None:
    found = amlworld(world)
    assert found.mapping == "amlworld"
    assert found.transfers.schema == TRANSFER_SCHEMA
    assert found.accounts.schema == ACCOUNT_SCHEMA
    assert found.laundering is not None
    assert found.laundering.schema == LAUNDERING_SCHEMA
    assert found.members is not None
    assert found.members.schema == MEMBER_SCHEMA
    assert found.laundering["event_id"].equals(found.transfers["event_id"])
    times = found.transfers["event_time_ns"].to_numpy()
    assert (np.diff(times) >= 0).all()


def test_amlworld_accounts_are_those_of_a_bank(world: Path) -> None:
    accounts = amlworld(world).accounts.to_pylist()
    assert [row["account_id"] for row in accounts] == ["10-8000EBD30", "11-8000F5340", "12-80011F990", "12-8000EBD30"]
    assert [row["customer_id"] for row in accounts] == ["E1", "E2", "E1", "E4"]
    assert [row["kind"] for row in accounts] == ["business", "person", "business", "business"]
    assert [row["segment"] for row in accounts] == ["Corporation", "Individual", "Sole Proprietorship", "Partnership"]


def test_amlworld_money_is_in_minor_units_of_its_currency(world: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = {row["event_id"]: row for row in amlworld(world).transfers.to_pylist()}
    assert (found["row-1"]["amount_minor"], found["row-1"]["received_minor"]) == (369_734, None)
    yen = found["row-2"]
    assert (yen["amount_minor"], yen["currency"], yen["received_minor"], yen["received_currency"]) == (
        2651, "JPY", 1_826_420, "EUR",
    )  # fmt: skip
    assert found["row-6"]["amount_minor"] == 100_000_000_000
    assert (found["row-7"]["amount_minor"], found["row-7"]["channel"]) == (123, "virtual_asset")
    assert "1 amounts above 100,000,000,000 minor units were set to that" in caplog.text


def test_an_account_outside_the_file_is_null_and_counted(world: Path) -> None:
    found = amlworld(world)
    row = next(row for row in found.transfers.to_pylist() if row["event_id"] == "row-5")
    assert (row["from_account"], row["to_account"], row["to_bank"]) == ("10-8000EBD30", None, "99")
    assert found.outside == 1


def test_amlworld_attempts_become_patterns(world: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = amlworld(world)
    assert found.laundering is not None
    labels = {row["event_id"]: (row["pattern_id"], row["typology"]) for row in found.laundering.to_pylist()}
    assert labels["row-1"] == (None, None)
    assert labels["row-2"] == (0, "fan_out")
    # two equal rows answer to a line each
    assert {labels["row-3"], labels["row-4"]} == {(0, "fan_out"), (1, "scatter_gather")}
    assert labels["row-6"] == (2, "untyped")
    assert "1 transfers of laundering attempts are not in HI_Trans.csv" in caplog.text
    assert found.members is not None
    assert {(row["pattern_id"], row["account_id"], row["role"]) for row in found.members.to_pylist()} == {
        (0, "11-8000F5340", "source"),
        (0, "10-8000EBD30", "sink"),
        (0, "12-80011F990", "sink"),
        (1, "11-8000F5340", "source"),
        (1, "12-80011F990", "sink"),
        (2, "12-80011F990", "source"),
    }


def test_without_the_attempts_all_laundering_is_untyped(world: Path) -> None:
    (world / "HI_Patterns.txt").unlink()
    found = amlworld(world)
    assert found.laundering is not None
    assert pc.unique(found.laundering["typology"].drop_null()).to_pylist() == ["untyped"]
    # by customer: E2 sends three times, E1 once
    assert sorted(found.laundering["pattern_id"].drop_null().to_pylist()) == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2022/09/01 00:05,a\n", "line 1: a transfer outside of any laundering attempt"),
        ("END LAUNDERING ATTEMPT - CYCLE\n", "line 1: an attempt ends that has not begun"),
        ("BEGIN LAUNDERING ATTEMPT - CYCLE\n", r"the last laundering attempt \(cycle\) does not end"),
    ],
)
def test_damaged_attempts_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x_Patterns.txt"
    path.write_text(text)
    with pytest.raises(BadInputError, match=words):
        read_attempts(path)


AMLSIM = """\
tran_id,orig_acct,bene_acct,tx_type,base_amt,tran_timestamp,is_fraud,alert_id
1,1,2,TRANSFER,10.50,2017-01-01T00:00:00Z,False,-1
2,2,3,TRANSFER,20,2017-01-02T00:00:00Z,True,7
3,1,3,TRANSFER,20,2017-01-02T00:00:00Z,True,7
4,3,1,TRANSFER,30,2017-01-03T00:00:00Z,False,8
"""


def amlsim_files(folder: Path, transfers: str = AMLSIM) -> tuple[Path, Path]:
    written(
        folder,
        transactions__csv=transfers,
        accounts__csv="acct_id,type,country\n1,SAV,US\n2,SAV,US\n3,SAV,US\n",
        alert_accounts__csv="alert_id,alert_type,acct_id\n7,fan_in,1\n7,fan_in,2\n8,cycle,3\n",
    )
    return folder / "transactions.csv", folder / "accounts.csv"


@pytest.mark.parametrize("flag", ["is_fraud", "is_sar"])
def test_amlsim_alerts_are_patterns_and_look_alikes(tmp_path: Path, flag: str) -> None:
    found = load_transfers(*amlsim_files(tmp_path, AMLSIM.replace("is_fraud", flag)))
    assert found.mapping == "amlsim"
    assert found.laundering is not None
    assert found.members is not None
    rows = found.laundering.to_pylist()
    assert [row["typology"] for row in rows] == [None, "fan_in", "fan_in", None]
    assert [row["look_alike"] for row in rows] == [None, None, None, "cycle"]
    assert {row["customer_id"] for row in found.members.to_pylist()} == {"1", "2", "3"}


def test_our_own_tables_come_back(tmp_path: Path) -> None:
    from tests.unit.harness.aml.made import CUSTOMERS, MEMBERS, SENT, TYPOLOGY, accounts, laundering, members, transfers

    tables = {
        "transfers": transfers(SENT),
        "accounts": accounts(CUSTOMERS),
        "laundering": laundering(SENT, TYPOLOGY),
        "members": members(MEMBERS, TYPOLOGY),
    }
    for name, table in tables.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    found = load_transfers(tmp_path / "transfers.parquet", tmp_path / "accounts.parquet")
    assert found.mapping == "riskbench"
    for name, table in tables.items():
        assert getattr(found, name).to_pylist() == table.to_pylist()
    (tmp_path / "members.parquet").unlink()
    found = load_transfers(tmp_path / "transfers.parquet", tmp_path / "accounts.parquet")
    assert (found.laundering, found.members) == (None, None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("20,2017", "x,2017"), "transactions.csv: column 'base_amt', row 2: 'x' is no number"),
        (("tran_id", "id"), "fit none of the shipped column maps"),
        (("3,1,3", "2,1,3"), "row 3: '2' is the event id of row 2 too"),
        (("30,", "-30,"), "row 4: '-30' is negative"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        load_transfers(*amlsim_files(tmp_path, AMLSIM.replace(*change)))
    assert words in str(caught.value)


def mapping(folder: Path, **changes: Any) -> Path:
    text = textwrap.dedent(
        """
        name: mine
        transfers:
          event_time: {column: tran_timestamp, format: iso}
          amount: {column: base_amt, unit: major}
          currency: {constant: USD}
          channel: {constant: wire}
          from_account: orig_acct
          to_account: bene_acct
        accounts: {account_id: acct_id, market: {constant: US}, currency: {constant: USD}}
        """
    )
    for old, new in changes.items():
        text = text.replace(old, new)
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"wire": "pigeon"}, "'pigeon' is no channel of ours (wire, instant"),
        ({"{constant: US}": "country, kind: {column: type, until: A}"}, "'SAV' is none of person, business"),
        ({"unit: major": "unit: major, above: 3"}, "transfers.amount.above: unknown key"),
        ({"acct_id": "type"}, "row 2: 'SAV' is the account of an earlier row too"),
        ({"account_id": "within_bank: true, account_id"}, "transfers.from_bank is needed to tell accounts apart"),
        ({"name: mine": "name: mine\ntruth: {}"}, "truth: needs one of laundering, accounts, tables"),
        ({"currency: {constant: USD}\n": "currency: {constant: USD}\n  received_currency: x\n"}, "belong together"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        load_transfers(*amlsim_files(tmp_path), mapping(tmp_path, **changes))
    assert words in str(caught.value)


def test_a_map_without_truth_has_none(tmp_path: Path) -> None:
    found = load_transfers(*amlsim_files(tmp_path), mapping(tmp_path))
    assert (found.laundering, found.members, found.protocol) == (None, None, None)
    assert found.transfers["from_account"].to_pylist() == ["1", "2", "1", "3"]


def test_a_csv_with_a_repeated_column_is_refused_unless_the_map_numbers_them(world: Path) -> None:
    path = mapping(world, orig_acct="Account", bene_acct="Account.1", base_amt="Amount Paid")
    with pytest.raises(BadInputError, match="column 'Account' is there twice"):
        load_transfers(world / "HI_Trans.csv", world / "HI_accounts.csv", path)


@pytest.mark.realdata
def test_the_sample_of_fan_ins() -> None:
    files = SAMPLE / "amlsim_fanin_transfers.parquet", SAMPLE / "amlsim_fanin_accounts.parquet"
    if not all(path.is_file() for path in files):
        pytest.skip("no AMLSim sample on this machine")
    found = load_transfers(*files)
    assert found.mapping == "amlsim-nodes"
    assert (len(found.transfers), len(found.accounts), found.outside) == (118_250, 20_000, 0)
    assert found.laundering is not None
    assert found.members is not None
    assert pc.sum(found.laundering["is_laundering"]).as_py() == 1_854
    assert pc.count_distinct(found.laundering["pattern_id"].drop_null()).as_py() == 195
    flagged = set(pq.read_table(files[1]).filter(pc.field("isFraud") == 1)["nodeid"].cast(pa.string()).to_pylist())
    assert set(found.members["account_id"].to_pylist()) <= flagged
    assert found.protocol is not None
