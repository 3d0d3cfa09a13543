"""Training from files: window, cache, key, command line."""

import dataclasses
import json
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import models.train
from models.__main__ import app, instant_ns
from models.bundle import GRAPH, Bundle
from models.features.batch import Vocabulary
from models.features.offline import compute_history
from models.fitting import FitSettings
from models.onnx_model import OnnxModel
from models.progress import STEPS, JsonLines, within
from models.settings import TrainSettings
from models.train import train_bundle, train_cached
from models.training_key import training_key
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.transaction import CHANNELS


@pytest.fixture(scope="module")
def settings(small_fit: FitSettings) -> TrainSettings:
    return TrainSettings(from_ns=4 * NS_PER_DAY, until_ns=18 * NS_PER_DAY, label_delay_days=2, fit=small_fit)


@pytest.fixture(scope="module")
def trained(
    history_files: tuple[Path, Path], settings: TrainSettings, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    return train_bundle(*history_files, tmp_path_factory.mktemp("trained") / "fraud", settings)


def test_training_on_files_finds_the_frauds_that_follow(trained: Bundle, history_files: tuple[Path, Path]) -> None:
    events, labels = (pq.read_table(path) for path in history_files)
    computed = compute_history(events, labels, Vocabulary(trained.category_names, trained.channel_names), 2)
    after = events["event_time_ns"].to_numpy() >= 18 * NS_PER_DAY
    fraud = np.array(labels["is_fraud"].to_pylist())[after]
    margin = OnnxModel(trained).score(computed.values[after]).margin
    assert np.median(margin[fraud]) > np.quantile(margin[~fraud], 0.95)
    assert trained.channel_names == CHANNELS
    assert trained.manifest["train"]["until_ns"] == 18 * NS_PER_DAY
    assert trained.label_delay_days == 2


def test_the_same_training_gives_the_same_bundle(
    trained: Bundle, history_files: tuple[Path, Path], settings: TrainSettings, tmp_path: Path
) -> None:
    again = train_bundle(*history_files, tmp_path / "again", settings)
    assert again.manifest == trained.manifest
    assert again.graph == trained.graph


def test_what_follows_the_window_does_not_matter(
    trained: Bundle, history_files: tuple[Path, Path], settings: TrainSettings, tmp_path: Path
) -> None:
    events, labels = (tmp_path / path.name for path in history_files)
    for whole, cut in zip(history_files, (events, labels), strict=True):
        table = pq.read_table(whole)
        pq.write_table(table.slice(0, len(table) - 50), cut)
    shorter = train_bundle(events, labels, tmp_path / "out", settings)
    assert shorter.graph == trained.graph
    assert shorter.manifest["data_hash"] != trained.manifest["data_hash"]


def test_the_cache_is_used_and_a_damaged_entry_made_anew(
    trained: Bundle,
    history_files: tuple[Path, Path],
    settings: TrainSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Path] = []

    def stand_in(events: Path, labels: Path, directory: Path, *_: object) -> Bundle:
        made.append(directory)
        shutil.copytree(trained.directory, directory, dirs_exist_ok=True)
        return Bundle.load(directory)

    monkeypatch.setattr(models.train, "train_bundle", stand_in)
    first = train_cached(*history_files, tmp_path, settings)
    assert train_cached(*history_files, tmp_path, settings).directory == first.directory
    assert len(made) == 1
    (first.directory / GRAPH).write_bytes(b"damaged")
    assert train_cached(*history_files, tmp_path, settings).graph == trained.graph
    assert len(made) == 2


def test_the_key_follows_data_settings_and_code(
    history_files: tuple[Path, Path], settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, labels = history_files
    key = training_key(events, labels, settings)
    assert key == training_key(events, labels, settings)
    assert key != training_key(events, labels, dataclasses.replace(settings, label_delay_days=3))
    other = tmp_path / "events.parquet"
    other.write_bytes(events.read_bytes() + b"\0")
    assert key != training_key(other, labels, settings)
    monkeypatch.setattr("models.training_key.code_hash", lambda: "other code")
    assert key != training_key(events, labels, settings)


def test_command_line_refuses_what_makes_no_sense(history_files: tuple[Path, Path], tmp_path: Path) -> None:
    files = ["--events", str(history_files[0]), "--labels", str(history_files[1])]
    out = ["--out", str(tmp_path / "bundle")]
    for options, said in (
        ([], "either --out"),
        ([*out, "--cache-dir", str(tmp_path)], "either --out"),
        ([*out, "--train-from", "yesterday"], "--train-from: 'yesterday' is no ISO 8601 instant"),
        ([*out, "--review-share", "2"], "review share"),
        ([*out, "--label-delay-days", "-1"], "label delay"),
        ([*out, "--train-until", "1970-01-02"], "at least 2 days"),
    ):
        result = CliRunner().invoke(app, ["train", "fraud", *files, *options])
        assert isinstance(result.exception, BadInputError)
        assert said in str(result.exception)
    assert not (tmp_path / "bundle").exists()


def test_command_line_ends_with_the_directory(
    monkeypatch: pytest.MonkeyPatch, trained: Bundle, history_files: tuple[Path, Path]
) -> None:
    seen: list[TrainSettings] = []

    def stand_in(events: Path, labels: Path, directory: Path, settings: TrainSettings, tell: object) -> Bundle:
        seen.append(settings)
        return trained

    monkeypatch.setattr("models.__main__.train_bundle", stand_in)
    result = CliRunner().invoke(
        app,
        ["train", "fraud", "--events", str(history_files[0]), "--labels", str(history_files[1]), "--out", "x",
         "--train-from", "1970-01-05", "--alert-budget-per-day", "40", "--seed", "9"],
    )  # fmt: skip
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == str(trained.directory)
    assert seen[0].from_ns == 4 * NS_PER_DAY
    assert (seen[0].fit.seed, seen[0].fit.budget.alerts_per_day) == (9, 40)


def test_instants_are_utc_unless_they_say_otherwise() -> None:
    assert instant_ns(None, "--x") is None
    assert instant_ns("1970-01-02", "--x") == NS_PER_DAY
    assert instant_ns("1970-01-02T02:00:00.5+02:00", "--x") == NS_PER_DAY + 500_000_000


def test_progress_is_json_lines_that_only_grow() -> None:
    stream = StringIO()
    tell = JsonLines(stream)
    for name, _ in STEPS:
        step = within(tell, name)
        for share in np.linspace(0, 1, 200):
            step(float(share))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    done = [line["done"] for line in lines]
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert len(lines) <= 120
