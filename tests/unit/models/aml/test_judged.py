"""Two models held against each other: on what comes later, by the same draws."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.aml.history import TransferFiles
from models.aml.judged import judge_models
from models.aml.settings import AML_BOOSTING, AmlTrainSettings
from models.aml.train import train_aml_bundle
from models.fitting import FitSettings
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from tests.unit.models.aml.laundering_history import START_NS, easy_history

FROM_NS = START_NS + 20 * NS_PER_DAY
FIT = FitSettings(seed=3, boosting=dataclasses.replace(AML_BOOSTING, rounds_max=15))
SETTINGS = AmlTrainSettings(
    from_ns=START_NS + 2 * NS_PER_DAY, until_ns=FROM_NS, validation_share=0.45, fit=FIT, genuine_share=0.5
)


@dataclasses.dataclass(frozen=True)
class Case:
    files: TransferFiles
    good: Path
    poor: Path


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A model that learnt from the truth, and one that was told of other transfers than those that launder."""
    folder, tables = tmp_path_factory.mktemp("judged"), easy_history(patterns=24)
    files = TransferFiles(*(folder / f"{name}.parquet" for name in ("events", "labels", "accounts", "members")))
    parts = (tables.transfers, tables.laundering, tables.accounts, tables.members)
    for path, table in zip(files.paths(), parts, strict=True):
        pq.write_table(table, path)
    good = train_aml_bundle(files, folder / "good", SETTINGS).directory
    poor = train_aml_bundle(_shuffled(files, folder), folder / "poor", SETTINGS).directory
    return Case(files, good, poor)


def _shuffled(files: TransferFiles, folder: Path) -> TransferFiles:
    """The same labels on transfers they do not belong to, with the accounts of these as members."""
    labels, transfers = pq.read_table(files.labels), pq.read_table(files.events)
    rows = np.random.default_rng(2).permutation(len(labels))
    moved = labels.take(rows).set_column(0, labels.schema.field("event_id"), labels["event_id"])
    told = np.flatnonzero(moved["is_laundering"].to_numpy())
    members = [
        {"pattern_id": moved["pattern_id"][row].as_py(), "typology": "fan_in", "customer_id": f"c{name[1:]}",
         "account_id": name, "role": "mule"}
        for row in told.tolist()
        for name in (transfers["from_account"][row].as_py(), transfers["to_account"][row].as_py())
    ]  # fmt: skip
    pq.write_table(moved, folder / "moved.parquet")
    pq.write_table(pa.Table.from_pylist(members, schema=pq.read_schema(files.members)), folder / "others.parquet")
    return dataclasses.replace(files, labels=folder / "moved.parquet", members=folder / "others.parquet")


def test_a_model_is_as_good_as_itself(case: Case) -> None:
    judged = judge_models(case.files, FROM_NS, case.good, case.good, 1)
    assert judged.gain == 0.0
    assert (judged.low, judged.high) == (0.0, 0.0)
    assert judged.before == judged.after
    assert judged.before.suspicious > 0
    assert judged.before.average_precision > 0.5


def test_the_better_model_gains_beyond_chance(case: Case) -> None:
    judged = judge_models(case.files, FROM_NS, case.poor, case.good, 1)
    assert judged.low is not None
    assert judged.high is not None
    assert 0 < judged.low < judged.gain < judged.high
    again = judge_models(case.files, FROM_NS, case.good, case.poor, 1)
    assert again.gain == pytest.approx(-judged.gain)
    assert again.high == pytest.approx(-judged.low)


def test_only_patterns_that_begin_later_count(case: Case) -> None:
    judged = judge_models(case.files, FROM_NS, case.good, case.good, 1)
    labels, times = pq.read_table(case.files.labels), pq.read_table(case.files.events)["event_time_ns"].to_numpy()
    ids, told = labels["pattern_id"].fill_null(-1).to_numpy(), labels["is_laundering"].to_numpy()
    later = set(ids[told & (times >= FROM_NS)]) - set(ids[told & (times < FROM_NS)])
    assert judged.before.patterns == len(later)


def test_a_period_without_laundering_judges_nobody(case: Case) -> None:
    last = int(pq.read_table(case.files.events)["event_time_ns"][-1].as_py())
    with pytest.raises(BadInputError, match="nobody begins to launder"):
        judge_models(case.files, last, case.good, case.good, 1)


def test_the_command_writes_what_was_found(case: Case, tmp_path: Path) -> None:
    files, out = case.files, tmp_path / "judged.json"
    words = ["judge", *("--events", files.events), *("--labels", files.labels), *("--accounts", files.accounts)]
    words += ["--members", files.members, "--from-ns", FROM_NS, "--before", case.poor, "--after", case.good]
    words += ["--out", out, "--seed", 1]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert found == judge_models(files, FROM_NS, case.poor, case.good, 1).to_dict()
    assert found["after"]["customer_average_precision"] - found["before"]["customer_average_precision"] == (
        pytest.approx(found["gain"]["value"])
    )
