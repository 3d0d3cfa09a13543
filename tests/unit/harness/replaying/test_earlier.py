"""What can be run again, and what cannot be: in words."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.case import PREPARED
from harness.comparison import Run
from harness.prepared import Prepared, Windows
from harness.replaying import earlier as module
from harness.replaying.earlier import Earlier, open_earlier, put_together, same_case
from harness.replaying.same_rows import same_rows
from harness.runfolder import MARKER
from harness.scenario import load_scenario
from streams.errors import BadInputError
from tests.audited_run import build_audited_run

WINDOWS = {"train_from_ns": 1, "train_until_ns": 2, "reference_from_ns": 3, "stream_start_ns": 4}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A whole run folder."""
    folder = tmp_path / "run"
    build_audited_run(folder, tmp_path / "work")
    results = json.loads((folder / "results.json").read_bytes())
    (folder / "results.json").write_text(json.dumps({**results, "config": {"domain": "fraud"}}), encoding="utf-8")
    (folder / "environment.json").write_text("{}", encoding="utf-8")
    return folder


def test_a_whole_run_is_opened(run: Path) -> None:
    found = open_earlier(run)
    assert found.domain == "fraud"
    assert found.scenario.name == "fraud"
    assert found.bundle == run / "case" / "bundle"
    assert found.rules == run / "case" / "rules.yaml"


def test_packs_of_rules_are_a_folder(run: Path) -> None:
    found = open_earlier(run)
    (run / "case" / "rules").mkdir()
    assert found.rules == run / "case" / "rules"


def test_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="nowhere: no such run folder"):
        open_earlier(tmp_path / "nowhere")


def test_another_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not a finished run"):
        open_earlier(tmp_path)


def test_a_run_that_came_to_no_end_is_said(run: Path) -> None:
    (run / MARKER).write_text("interrupted", encoding="utf-8")
    with pytest.raises(BadInputError, match="not a finished run"):
        open_earlier(run)


def test_a_run_without_its_case_is_said(run: Path) -> None:
    shutil.rmtree(run / "case")
    with pytest.raises(BadInputError, match=r"case: not there: the run was of a scorer that is not ours"):
        open_earlier(run)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("case/bundle/model.onnx", "case/bundle/model.onnx is not the file the run decided with"),
        ("case/rules.yaml", "case/rules.yaml is not the file the run decided with"),
        ("case/state/features.state", "case/state/features.state is not the file the run decided with"),
        ("scenario.yaml", "scenario.yaml is not the file the run decided with"),
        ("events.parquet", "events.parquet cannot be read as Parquet"),
        ("decisions.parquet", "decisions.parquet cannot be read as Parquet"),
    ],
)
def test_a_damaged_run_is_said_and_what_is_damaged(run: Path, name: str, said: str) -> None:
    (run / name).write_bytes(b"changed")
    with pytest.raises(BadInputError, match="is not as its audit trail says") as told:
        open_earlier(run)
    assert said in str(told.value)
    assert "bench audit verify" in str(told.value)


def test_a_file_that_is_gone_is_said(run: Path) -> None:
    (run / "decisions.parquet").unlink()
    with pytest.raises(BadInputError, match=r"decisions\.parquet is missing"):
        open_earlier(run)


def test_a_run_of_nothing_known_is_said(run: Path) -> None:
    results = json.loads((run / "results.json").read_bytes())
    (run / "results.json").write_text(json.dumps({**results, "config": {"domain": "horses"}}), encoding="utf-8")
    with pytest.raises(BadInputError, match=r"config\.domain = 'horses': must be one of fraud, aml"):
        open_earlier(run)


def test_bundle_and_rules_are_known_by_their_content(run: Path, tmp_path: Path) -> None:
    found = open_earlier(run)
    shutil.copytree(found.bundle, tmp_path / "copy")
    shutil.copyfile(found.rules, tmp_path / "other.yaml")
    assert same_case(found, tmp_path / "copy", tmp_path / "other.yaml")
    (tmp_path / "other.yaml").write_text("rules: [another]\n", encoding="utf-8")
    assert not same_case(found, tmp_path / "copy", tmp_path / "other.yaml")
    with pytest.raises(BadInputError, match=r"nowhere\.yaml: cannot be read"):
        same_case(found, tmp_path / "copy", tmp_path / "nowhere.yaml")


@pytest.fixture
def bare(tmp_path: Path) -> Earlier:
    """A run's stream and dispositions, without its history."""
    folder = tmp_path / "bare"
    (folder / "case").mkdir(parents=True)
    write_ids(folder / "events.parquet", ["b", "a"])
    write_ids(folder / "labels.parquet", ["b", "a"])
    write_ids(folder / "case" / "dispositions.parquet", ["a"])
    return Earlier(Run(folder, {}, {}), load_scenario("fraud"))


def write_ids(file: Path, ids: list[str]) -> None:
    pq.write_table(pa.table({"event_id": ids}), file)


def write_history(folder: Path) -> None:
    folder.mkdir(parents=True)
    write_ids(folder / "history.parquet", ["old"])
    facts = {"windows": WINDOWS, "events": 2, "history": 1, "labelled": True}
    (folder / "prepared.json").write_text(json.dumps(facts), encoding="utf-8")


def ids(file: Path) -> list[str]:
    found: list[str] = pq.read_table(file)["event_id"].to_pylist()
    return found


def test_the_data_are_the_stream_as_sent_and_the_history_of_the_case(bare: Earlier, tmp_path: Path) -> None:
    write_history(bare.folder / "case" / PREPARED)
    prepared = put_together(bare, tmp_path / "to", tmp_path / "no-cache")
    assert ids(prepared.file("events")) == ids(prepared.file("labels")) == ["b", "a"]
    assert ids(prepared.file("history")) == ["old"]
    assert ids(prepared.file("dispositions")) == ["a"]
    assert prepared.windows == Windows(**WINDOWS)
    assert prepared.labelled
    assert not prepared.file("profiles").exists()


def prepares(monkeypatch: pytest.MonkeyPatch, folder: Path, events: list[str]) -> None:
    """The scenario gives these events, one of history before them."""
    write_history(folder)
    for name in ("events", "labels", "dispositions"):
        write_ids(folder / f"{name}.parquet", events)
    facts = {"events": len(events), "labelled": True}
    monkeypatch.setattr(module, "prepare", lambda *_: Prepared(folder, "key", True, Windows(**WINDOWS), facts))


def test_a_run_from_before_histories_were_kept_has_its_own_made_again(
    bare: Earlier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepares(monkeypatch, tmp_path / "made", ["b", "a"])
    prepared = put_together(bare, tmp_path / "to", tmp_path / "cache")
    assert ids(prepared.file("history")) == ["old"]
    assert ids(prepared.file("dispositions")) == ["a"]


def test_when_that_gives_other_events_it_is_said(
    bare: Earlier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepares(monkeypatch, tmp_path / "made", ["b", "c"])
    with pytest.raises(BadInputError, match="its scenario gives other events today"):
        put_together(bare, tmp_path / "to", tmp_path / "cache")


def test_rows_are_the_same_however_they_are_encoded(tmp_path: Path) -> None:
    words = pa.array(["x", "y", "x"])
    files = [tmp_path / f"{n}.parquet" for n in range(3)]
    pq.write_table(pa.table({"w": words}), files[0])
    pq.write_table(pa.table({"w": words.dictionary_encode()}), files[1])
    pq.write_table(pa.table({"w": words.take(pa.array([1, 0, 2]))}), files[2])
    assert same_rows(files[0], files[1])
    assert not same_rows(files[0], files[2])
