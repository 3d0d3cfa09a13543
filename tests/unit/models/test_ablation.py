"""Cells of an ablation: what is left out is left out, known cards are left out, and nothing is computed twice."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.ablation.case import Case, Window, read_case
from models.ablation.cell import Bench, Measured, cells
from models.ablation.variants import DEFAULT, variants
from models.features.catalog import FEATURES
from models.fitting import FitSettings, trees_columns
from models.training_data import LabelledHistory
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

SPAN = Window(0, 12 * NS_PER_DAY, 14 * NS_PER_DAY, 20 * NS_PER_DAY)
HOW = Measured(k=5, budget_share=0.05, label_delay_days=2, without_known=False)


@pytest.fixture(scope="module")
def case(history: LabelledHistory) -> Case:
    count = len(history.labels)
    reported = np.where(history.labels, history.time_ns + NS_PER_DAY, np.iinfo(np.int64).max)
    kinds = np.where(history.labels, 1 + history.cards % 2, 0).astype(np.int32)
    return Case(
        history.values, history.time_ns, history.cards, history.labels, reported, kinds, ("", "theft", "leak"),
        f"{count} rows",
    )  # fmt: skip


def test_each_variant_differs_in_one_thing(small_fit: FitSettings) -> None:
    plain = dataclasses.replace(small_fit, imbalance=dataclasses.replace(small_fit.imbalance, method="plain"))
    found = variants(plain)
    assert found[0].name == DEFAULT
    assert found[0].fit == plain
    assert len({variant.name for variant in found}) == len(found)
    fits = {variant.name: variant.fit for variant in found}
    assert not fits["trees alone"].with_autoencoder
    assert {fits[name].imbalance.method for name in ("class_weight", "focal", "smote")} == {
        "class_weight", "focal", "smote",
    }  # fmt: skip
    for family in {feature.family for feature in FEATURES}:
        assert fits[f"without {family}"].without_families == (family,)


def test_a_family_left_out_is_missing_for_the_trees(history: LabelledHistory, small_fit: FitSettings) -> None:
    settings = dataclasses.replace(small_fit, without_families=("risk",))
    errors = np.ones(len(history.values), dtype=np.float32)
    columns = trees_columns(history.values, errors, settings)
    risk = [feature.family == "risk" for feature in FEATURES]
    assert any(risk)
    for column, left_out in enumerate(risk):
        if left_out:
            assert np.isnan(columns[:, column]).all()
        else:
            np.testing.assert_array_equal(columns[:, column], history.values[:, column])
    np.testing.assert_array_equal(columns[:, -1], errors)


def test_the_columns_that_tell_are_missed_when_left_out(case: Case, small_fit: FitSettings) -> None:
    """The small history's frauds are told by amounts, times and velocity, not by places."""
    found = {variant.name: variant for variant in variants(small_fit)}
    bench = Bench(case, SPAN, HOW, seed=1)
    whole = bench.fit(found[DEFAULT])
    without = bench.fit(found["without amount"])
    assert without["average_precision"] < 0.8 * whole["average_precision"]
    assert whole["average_precision"] > 0.5
    assert whole["by_scenario"]["theft"]["frauds"] + whole["by_scenario"]["leak"]["frauds"] == whole["frauds"]


def test_cards_known_by_then_are_left_out(case: Case) -> None:
    rows = case.test_rows(SPAN, 2, without_known=False)
    kept = case.test_rows(SPAN, 2, without_known=True)
    days = case.time_ns // NS_PER_DAY
    frauds = {card: days[case.fraud & (case.cards == card)] for card in np.unique(case.cards)}
    expected = [row for row in rows.tolist() if not (frauds[case.cards[row]] <= days[row] - 3).any()]
    assert kept.tolist() == expected
    assert 0 < len(kept) < len(rows)


def test_labels_not_known_in_time_do_not_train(case: Case) -> None:
    late = dataclasses.replace(case, reported_ns=case.reported_ns + np.where(case.fraud, 30 * NS_PER_DAY, 0))
    assert case.training_rows(SPAN, 2)[1].sum() > 0
    assert late.training_rows(SPAN, 2)[1].sum() == 0
    with pytest.raises(BadInputError, match="0 known frauds"):
        Bench(late, SPAN, HOW, seed=1)


def test_a_cell_is_computed_once(
    case: Case, small_fit: FitSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = variants(small_fit)[:1]
    first = list(cells(case, SPAN, HOW, 7, chosen, tmp_path))
    monkeypatch.setattr(Bench, "fit", None)
    assert list(cells(case, SPAN, HOW, 7, chosen, tmp_path)) == first
    with pytest.raises(TypeError):
        list(cells(case, SPAN, HOW, 8, chosen, tmp_path))


def test_features_are_computed_once(
    history_files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, labels = ([path] for path in history_files)
    made = read_case(events, labels, 2, tmp_path)
    monkeypatch.setattr("models.ablation.case._computed", None)
    again = read_case(events, labels, 2, tmp_path)
    np.testing.assert_array_equal(made.values, again.values)
    assert (made.key, made.scenarios) == (again.key, again.scenarios)
    assert made.fraud.sum() > 0


def test_the_command_refuses_what_makes_no_sense(history_files: tuple[Path, Path], tmp_path: Path) -> None:
    base = ["ablate", "--events", str(history_files[0]), "--labels", str(history_files[1]), "--seed", "1",
            "--out", str(tmp_path / "out.json"), "--cache-dir", str(tmp_path)]  # fmt: skip
    for options, said in (
        (["--window", "1,2,3"], "four whole numbers"),
        (["--window", "5,2,3,4"], "training must come before the test"),
        (["--window", "1,2,3,4", "--group", "nothing"], "--group nothing: not known"),
        (["--window", "1,2,3,4", "--events", str(history_files[0])], "2 files of events but 1 of labels"),
    ):
        result = CliRunner().invoke(app, [*base, *options])
        assert isinstance(result.exception, BadInputError)
        assert said in str(result.exception)


def test_the_command_writes_the_cells(
    history_files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_fit: FitSettings
) -> None:
    monkeypatch.setattr("models.ablation.command.FitSettings", lambda: small_fit)
    out = tmp_path / "out.json"
    span = ",".join(str(day * NS_PER_DAY) for day in (2, 12, 14, 20))
    result = CliRunner().invoke(
        app,
        ["ablate", "--events", str(history_files[0]), "--labels", str(history_files[1]), "--seed", "1", "--group",
         "parts", "--out", str(out), "--cache-dir", str(tmp_path), "--window", span,
         "--label-delay-days", "2"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text(encoding="utf-8"))
    assert [cell["variant"] for cell in found["cells"]] == [DEFAULT, "trees alone", "autoencoder alone"]
    assert found["cells"][0]["average_precision"] > 0.2
