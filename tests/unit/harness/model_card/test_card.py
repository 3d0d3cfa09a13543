"""The model card says what the bundle and the run say, and plainly what they do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.model_card import card_facts, read_sources, render_html, render_markdown
from harness.model_card.sources import newest_run
from streams.errors import BadInputError
from tests.example_reasons import MANIFEST
from tests.example_run import build_run

SECTIONS = (
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Quantitative analyses",
    "Ethical considerations", "Caveats and recommendations",
)  # fmt: skip


def write_bundle(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "bundle.json").write_text(json.dumps({**MANIFEST, **changes}))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_run(tmp_path_factory.mktemp("runs") / "20260102-030405-fraud")
    write_bundle(folder / "case" / "bundle")
    return folder


def card_of(bundle: Path | None, run: Path | None) -> str:
    return render_markdown(card_facts(read_sources(bundle, run)))


def test_every_section_of_the_proposal_is_there_once(run: Path) -> None:
    headings = [line.removeprefix("## ") for line in card_of(None, run).splitlines() if line.startswith("## ")]
    assert headings[: len(SECTIONS)] == list(SECTIONS)


def test_figures_of_bundle_and_run_with_their_intervals(run: Path) -> None:
    card = card_of(None, run)
    quality = json.loads((run / "results.json").read_text())["quality"]
    edges = quality["intervals"]["pr_auc"]
    assert "| Average precision (PR-AUC) | 0.455 | 0.400–0.500 |" in card
    assert f"| {quality['pr_auc']:.3f} | {edges['low']:.3f}–{edges['high']:.3f} |" in card
    assert "review from a score of 0.25, block from 0.875" in card
    assert "Chosen by: rule budget, review share 0.01." in card
    assert "log loss.none 0.0134, log loss.platt 0.0127" in card
    assert "| velocity | count 1h |" in card
    assert "| boosting.max depth | 5 |" in card
    assert "It begins after the training data ends." in card
    for group in ("family", "business", "DE", "NL"):
        assert f"| {group} |" in card
    assert "may be chance" in card


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    plain = dict.fromkeys(("threshold_choice", "calibration", "feature_families"))
    metrics = {"average_precision": 0.4, "events": 10, "frauds": 2}
    card = card_of(write_bundle(tmp_path / "bundle", **plain, metrics=metrics), None)
    for words in (
        "No run was given",
        "Error rates by customer segment are not known",
        "Error rates by customer region are not known",
        "validation figures carry no intervals",
        "not calibrated",
        "does not say by which rule",
        "family not said",
    ):
        assert words in card


def test_html_is_one_page_with_tables_and_no_markup_from_data(run: Path) -> None:
    facts = card_facts(read_sources(None, run))
    evil = "<img src=x onerror=alert(1)> | `code` [a](b)"
    facts["scenarios"] = {evil: {"frauds": 1, "recall": 0.5}}
    page = render_html(render_markdown(facts))
    assert "<img" not in page
    assert "&lt;img src=x" in page
    assert "<a " not in page
    assert page.count("<table>") == page.count("</table>") >= 7
    assert "http" not in page.replace("http-equiv", "")


def test_the_newest_finished_run_is_taken(tmp_path: Path) -> None:
    for name in ("20260101-000000-fraud", "20260301-000000-fraud", "20260201-000000-fraud"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text("{}")
    (tmp_path / "20260301-000000-fraud" / "INCOMPLETE").write_text("killed")
    assert newest_run(tmp_path).name == "20260201-000000-fraud"


def bench(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["card", "fraud", *arguments])
    return int(stopped.value.code or 0)


def test_the_command_writes_what_was_asked_for(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("--run", str(run)) == 0
    printed = capsys.readouterr().out
    assert bench("--run", str(run), "--out", str(tmp_path / "card.md")) == 0
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == printed
    assert bench("--run", str(run), "--out", str(tmp_path / "card.html")) == 0
    assert (tmp_path / "card.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    capsys.readouterr()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / run.name).symlink_to(run)
    monkeypatch.chdir(tmp_path)
    assert bench("--json") == 0
    assert json.loads(capsys.readouterr().out)["model"]["version"] == "fraud-3f9a1c"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bundle", "{tmp}/none"], "no such directory"),
        (["--bundle", "{tmp}"], "bundle.json cannot be read"),
        (["--bundle", "{tmp}/list"], "an object is expected"),
        (["--bundle", "{tmp}/lacking"], "lacks metrics"),
        (["--run", "{tmp}/none"], "no such folder"),
        (["--run", "{tmp}"], "no results.json in it"),
        (["--run", "{tmp}/own"], "holds no bundle"),
        (["--run", "{run}", "--bundle", "{tmp}/other"], "was decided by model fraud-3f9a1c, the bundle is fraud-0"),
        (["--run", "{run}", "--out", "card.pdf"], "must end in .md or .html"),
        (["--run", "{run}", "--out", "{tmp}/none/card.md"], "cannot be written"),
        ([], "no finished run below runs/"),
    ],
)
def test_wrong_input_is_refused_in_words(
    arguments: list[str],
    words: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "bundle.json").write_text("[]")
    write_bundle(tmp_path / "other", model_version="fraud-0")
    without = {key: value for key, value in MANIFEST.items() if key != "metrics"}
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking" / "bundle.json").write_text(json.dumps(without))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "results.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert bench(*(part.format(tmp=tmp_path, run=run) for part in arguments)) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert words in said
    assert "Traceback" not in said


def test_a_run_of_unlabelled_data_has_no_quality(run: Path, tmp_path: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    (tmp_path / "results.json").write_text(json.dumps({**results, "quality": {}}))
    card = card_of(write_bundle(tmp_path / "bundle"), tmp_path)
    assert "The streamed data has no labels" in card
    with pytest.raises(BadInputError, match="holds no bundle"):
        read_sources(None, tmp_path)
