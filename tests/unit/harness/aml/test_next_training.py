"""What the model after a run learns from, and what is refused."""

import json
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from typer.testing import CliRunner

from harness.aml.investigators import FINDINGS_SCHEMA
from harness.aml.next_training import FinishedRun, open_run, prepare_again, write_lessons
from harness.aml.prepare import prepare_longer, prepare_transfers
from harness.cli import app
from harness.commands.train_next import tell_gain
from harness.prepared import Prepared
from harness.scenario import AmlScenario, load_scenario
from streams.errors import BadInputError

SCENARIO = """
name: small
domain: aml
world: {history_days: 15, customers: 300, markets: [US], laundering_share: 0.02}
training: {kernel_warmup_days: 4, label_delay_days: 3}
load: {rate_per_s: 200.0, duration_s: 8.0, warmup_s: 0.5, partitions: 1}
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(tmp_path: Path, cache: Path) -> Path:
    """A run folder as far as a later training looks at it; the last ten transfers were never sent."""
    folder = tmp_path / "run"
    (folder / "case").mkdir(parents=True)
    (folder / "scenario.yaml").write_text(SCENARIO)
    scenario = load_scenario(folder / "scenario.yaml", domain="aml")
    assert isinstance(scenario, AmlScenario)
    prepared = prepare_transfers(scenario, cache)
    shutil.copyfile(prepared.file("events"), folder / "events.parquet")
    (folder / "results.json").write_text(json.dumps({"counts": {"sent": prepared.events - 10}}))
    pq.write_table(FINDINGS_SCHEMA.empty_table(), folder / "findings.parquet")
    return folder


def learnt(run: FinishedRun, cache: Path, folder: Path) -> tuple[Prepared, Prepared]:
    prepared = prepare_again(run, cache)
    folder.mkdir()
    return prepared, write_lessons(run, prepared, folder)


def test_the_stream_follows_history_and_has_no_labels(run: Path, cache: Path, tmp_path: Path) -> None:
    prepared, lessons = learnt(open_run(run, {}, {}), cache, tmp_path / "lessons")
    events, labels = pq.read_table(lessons.file("history")), pq.read_table(lessons.file("history_labels"))
    history, told = pq.read_table(prepared.file("history")), pq.read_table(prepared.file("history_labels"))
    assert len(events) == len(labels) == len(history) + prepared.events - 10
    assert (np.diff(events["event_time_ns"].to_numpy()) >= 0).all()
    assert labels["event_id"].to_pylist() == events["event_id"].to_pylist()
    assert labels.slice(0, len(told)).to_pylist() == told.to_pylist()
    blank = labels.slice(len(told))
    assert pq.read_table(prepared.file("labels"))["is_laundering"].to_numpy().any(), "there is something to hide"
    assert not blank["is_laundering"].to_numpy().any()
    assert blank["pattern_id"].null_count == blank["look_alike"].null_count == len(blank)
    assert lessons.windows == prepared.windows


def test_members_of_patterns_that_history_does_not_show_are_not_told(run: Path, cache: Path, tmp_path: Path) -> None:
    prepared, lessons = learnt(open_run(run, {}, {}), cache, tmp_path / "lessons")
    all_members, told = pq.read_table(prepared.file("members")), pq.read_table(lessons.file("members"))
    shown = set(pq.read_table(prepared.file("history_labels"))["pattern_id"].drop_null().to_pylist())
    assert set(told["pattern_id"].to_pylist()) <= shown
    assert 0 < len(told) < len(all_members)


def test_transfers_sent_in_another_order_are_put_back(run: Path, cache: Path, tmp_path: Path) -> None:
    events = pq.read_table(run / "events.parquet")
    swapped = np.arange(len(events))
    swapped[[3, 4, 5]] = [5, 3, 4]
    pq.write_table(events.take(swapped), run / "events.parquet")
    _, lessons = learnt(open_run(run, {}, {}), cache, tmp_path / "lessons")
    assert (np.diff(pq.read_table(lessons.file("history"))["event_time_ns"].to_numpy()) >= 0).all()


def test_a_run_of_another_world_is_refused(run: Path, cache: Path) -> None:
    events = pq.read_table(run / "events.parquet")
    other = pc.add(events["amount_minor"], pa.scalar(1))
    pq.write_table(events.set_column(2, events.schema.field(2), other), run / "events.parquet")
    with pytest.raises(BadInputError, match="cannot be made again"):
        prepare_again(open_run(run, {}, {}), cache)


def test_what_cannot_teach_is_refused(run: Path) -> None:
    (run / "findings.parquet").rename(run / "gone.parquet")
    with pytest.raises(BadInputError, match=r"has no findings\.parquet"):
        open_run(run, {}, {})
    (run / "gone.parquet").rename(run / "findings.parquet")
    (run / "results.json").write_text("{}")
    with pytest.raises(BadInputError, match="does not say how many"):
        open_run(run, {}, {})
    (run / "INCOMPLETE").touch()
    with pytest.raises(BadInputError, match="not a finished run"):
        open_run(run, {}, {})


def test_what_the_options_change_is_changed(run: Path) -> None:
    assert open_run(run, {"seeds.training": 77}, {}).scenario.seeds.training == 77


def test_the_longer_stream_begins_with_the_run_s(run: Path, cache: Path) -> None:
    opened = open_run(run, {}, {})
    prepared = prepare_again(opened, cache)
    longer = prepare_longer(opened.scenario, prepared.events, cache)
    assert longer.events == 2 * prepared.events
    ours, theirs = (pq.read_table(each.file("events")) for each in (prepared, longer))
    assert theirs.slice(0, prepared.events).to_pylist() == ours.to_pylist()
    assert pq.read_table(longer.file("history")).num_rows == pq.read_table(prepared.file("history")).num_rows


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ({"value": 0.02, "low": 0.01, "high": 0.03}, "+0.0200 (95% +0.0100 to +0.0300): more than chance"),
        ({"value": 0.02, "low": -0.01, "high": 0.05}, "may be chance"),
        ({"value": 0.02, "low": None, "high": None}, "cannot be said"),
    ],
)
def test_both_models_are_told_side_by_side(gain: dict[str, float | None], said: str) -> None:
    before = {"customers": 1200, "customer_average_precision": 0.41, "pattern_recall_at_10_percent": None}
    found = {"before": before, "after": {**before, "customer_average_precision": 0.43}, "gain": gain}
    out = StringIO()
    tell_gain(found, Console(file=out, width=120))
    for words in ("1,200", "0.4100", "0.4300", "–", said):
        assert words in out.getvalue()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "nowhere"), "not a finished run"),
        (("--from", "nowhere", "--scenario", "aml"), "leave out --scenario"),
    ],
)
def test_wrong_options_are_said(options: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(app, ["train", "aml", *options])
    assert isinstance(result.exception, BadInputError)
    assert said in str(result.exception)
