import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.aml.history import TransferFiles, TransferTables, labelled_rows
from models.aml.labels import NO_PATTERN
from models.aml.settings import AML_BOOSTING, AmlTrainSettings, Near
from models.aml.train import train_aml_bundle, train_aml_cached
from models.bundle import Bundle, BundleError
from models.explain import Explainer
from models.fitting import FitSettings
from models.graph.catalog import AML_FEATURE_NAMES, AML_FEATURES
from models.onnx_model import OnnxModel
from models.training_data import TimeSplit
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from tests.unit.models.aml.laundering_history import DAYS, START_NS, easy_history

FIT = FitSettings(seed=3, boosting=dataclasses.replace(AML_BOOSTING, rounds_max=30))
SETTINGS = AmlTrainSettings(from_ns=START_NS + 2 * NS_PER_DAY, validation_share=0.35, fit=FIT, genuine_share=0.5)
SPLIT = TimeSplit(START_NS + 2 * NS_PER_DAY, START_NS + 20 * NS_PER_DAY, START_NS + DAYS * NS_PER_DAY)


@pytest.fixture(scope="module")
def tables() -> TransferTables:
    return easy_history()


@pytest.fixture(scope="module")
def files(tables: TransferTables, tmp_path_factory: pytest.TempPathFactory) -> TransferFiles:
    folder = tmp_path_factory.mktemp("transfers")
    found = TransferFiles(*(folder / f"{name}.parquet" for name in ("events", "labels", "accounts", "members")))
    parts = (tables.transfers, tables.laundering, tables.accounts, tables.members)
    for path, table in zip(found.paths(), parts, strict=True):
        pq.write_table(table, path)
    return found


@pytest.fixture(scope="module")
def trained(files: TransferFiles, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return train_aml_bundle(files, tmp_path_factory.mktemp("trained") / "aml", SETTINGS)


def test_a_bundle_is_of_the_catalogue_and_finds_what_is_easy(trained: Bundle) -> None:
    loaded = Bundle.load(trained.directory, AML_FEATURE_NAMES)
    assert loaded.manifest["domain"] == "aml"
    assert loaded.model_version.startswith("aml-")
    assert set(loaded.feature_bins()) == set(AML_FEATURE_NAMES)
    assert 0 < loaded.thresholds.review <= loaded.thresholds.block <= 1
    assert loaded.manifest["metrics"]["customer_average_precision"] > 0.8
    assert loaded.manifest["metrics"]["pattern_recall_at_10_percent"] >= 0.5
    with pytest.raises(BundleError, match="other features"):
        Bundle.load(trained.directory)


def test_scores_are_probabilities_although_few_genuine_rows_teach(trained: Bundle, tables: TransferTables) -> None:
    rows = labelled_rows(tables, SPLIT, SETTINGS).history
    _, validation = SPLIT.rows(rows.time_ns)
    judging = rows.judging(validation)
    scores = trained.calibrated(OnnxModel(trained).score(rows.values[judging]).margin)
    assert 0.4 < scores.mean() / rows.labels[judging].mean() < 2.5


def test_a_bundle_is_explained_in_the_catalogues_words(trained: Bundle, tables: TransferTables) -> None:
    rows = labelled_rows(tables, SPLIT, SETTINGS).history
    values = rows.values[rows.labels][:5]
    output = OnnxModel(trained).score(values)
    explainer = Explainer(trained, AML_FEATURES)
    shares = explainer.contributions(values, output.reconstruction_error)
    assert shares.sum(axis=1) == pytest.approx(output.margin, abs=1e-3)
    for reasons in explainer.reasons(values, output.reconstruction_error):
        assert reasons
        assert all(reason.code in AML_FEATURE_NAMES for reason in reasons)


def test_no_pattern_both_teaches_and_judges(tables: TransferTables) -> None:
    found = labelled_rows(tables, SPLIT, SETTINGS)
    train, validation = SPLIT.rows(found.history.time_ns)
    taught = set(found.pattern[found.history.teaching(train)].tolist()) - {NO_PATTERN}
    judged = set(found.pattern[found.history.judging(validation)].tolist()) - {NO_PATTERN}
    assert taught
    assert judged
    assert not taught & judged


def test_a_pattern_across_the_cut_does_not_judge(tables: TransferTables) -> None:
    moved = tables.laundering["pattern_id"].fill_null(-1).to_numpy()
    rows = np.flatnonzero(moved == 12)
    cut = int(tables.transfers["event_time_ns"][int(rows[1])].as_py())
    split = TimeSplit(SPLIT.from_ns, cut, SPLIT.until_ns)
    found = labelled_rows(tables, split, SETTINGS)
    own = found.pattern == 12
    assert (found.history.time_ns[own] >= cut).any()
    judges, teaches = found.history.judges, found.history.teaches
    assert judges is not None
    assert teaches is not None
    assert not judges[own].any()
    assert teaches[own].all()


@pytest.mark.parametrize(("near", "positive", "teaching"), [("positive", 1, 1), ("left_out", 0, 0), ("negative", 0, 1)])
def test_rows_near_a_pattern_are_what_the_settings_say(
    tables: TransferTables, near: Near, positive: int, teaching: int
) -> None:
    settings = dataclasses.replace(SETTINGS, near=near, genuine_share=1.0)
    found = labelled_rows(tables, SPLIT, settings)
    usual = labelled_rows(tables, SPLIT, dataclasses.replace(SETTINGS, near="negative", genuine_share=1.0))
    beyond = int(found.history.labels.sum()) - int(usual.history.labels.sum())
    assert (beyond > 0) == bool(positive)
    assert found.history.teaches is not None
    assert bool(found.history.teaches.all()) == bool(teaching)


def test_training_again_gives_the_same_bundle_and_the_cache_keeps_it(
    files: TransferFiles, trained: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train_aml_cached(files, tmp_path, SETTINGS)
    assert first.graph == trained.graph
    assert first.booster == trained.booster
    monkeypatch.setattr("models.aml.train.train_aml_bundle", None)
    assert train_aml_cached(files, tmp_path, SETTINGS).directory == first.directory


def test_the_command_wants_the_files_of_its_domain() -> None:
    runner = CliRunner()
    asked = ["train", "aml", "--events", "e", "--labels", "l", "--out", "o"]
    assert "--accounts FILE" in str(runner.invoke(app, asked).exception)
    fraud = ["train", "fraud", "--events", "e", "--labels", "l", "--out", "o", "--accounts", "a"]
    assert "leave them out" in str(runner.invoke(app, fraud).exception)


def test_a_share_of_no_genuine_rows_is_refused() -> None:
    with pytest.raises(BadInputError, match="share of genuine rows"):
        AmlTrainSettings(genuine_share=0.0)
