"""What decided is kept with the run."""

import os
from pathlib import Path
from typing import Any

import pytest

from harness import case
from harness.case import write_case
from harness.prepared import Prepared, Windows
from harness.scenario import Breaker
from harness.scorers import OwnScorer, ScorerSetup
from streams.errors import BadInputError


@pytest.fixture
def setup(tmp_path: Path) -> ScorerSetup:
    for folder, name in (("bundle", "bundle.json"), ("state", "features.state"), ("state", "reference.json")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(name, encoding="utf-8")
    (tmp_path / "my-rules.yaml").write_text("rules", encoding="utf-8")
    (tmp_path / "run").mkdir()
    bundle, rules, state = tmp_path / "bundle", tmp_path / "my-rules.yaml", tmp_path / "state"
    return ScorerSetup("native", 1, bundle, rules, state, "none", Breaker(), nightly=True)


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    folder = tmp_path / "made"
    folder.mkdir()
    for name in ("dispositions", "events", "labels", "profiles", "history", "history_labels", "accounts"):
        (folder / f"{name}.parquet").write_text(name, encoding="utf-8")
    (folder / "prepared.json").write_text("facts", encoding="utf-8")
    return Prepared(folder, "key", False, Windows(1, 2, 3, 4), {})


def held(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


WHOLE = {
    "bundle/bundle.json": "bundle.json",
    "rules.yaml": "rules",
    "state/features.state": "features.state",
    "state/reference.json": "reference.json",
    "dispositions.parquet": "dispositions",
    "prepared/history.parquet": "history",
    "prepared/history_labels.parquet": "history_labels",
    "prepared/accounts.parquet": "accounts",
    "prepared/prepared.json": "facts",
}


def test_state_and_history_cost_nothing(tmp_path: Path, setup: ScorerSetup, prepared: Prepared) -> None:
    assert write_case(tmp_path / "run", setup, prepared) == tmp_path / "run" / "case"
    assert held(tmp_path / "run" / "case") == WHOLE
    assert (tmp_path / "run" / "case" / "state" / "features.state").samefile(tmp_path / "state" / "features.state")
    assert (tmp_path / "run" / "case" / "prepared" / "history.parquet").samefile(prepared.file("history"))
    assert not (tmp_path / "run" / "case" / "rules.yaml").samefile(tmp_path / "my-rules.yaml")


def test_where_no_link_can_be_made_it_is_copied(
    tmp_path: Path, setup: ScorerSetup, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_paths: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    write_case(tmp_path / "run", setup, prepared)
    assert held(tmp_path / "run" / "case") == WHOLE


def test_of_a_scorer_that_is_not_ours_nothing_is_known(tmp_path: Path, prepared: Prepared) -> None:
    own = ScorerSetup("own", 1, Path(), None, None, "none", Breaker(), nightly=False, own=OwnScorer("x", 1.0))
    assert write_case(tmp_path, own, prepared) is None
    assert not (tmp_path / case.CASE).exists()


def test_what_is_missing_is_said(tmp_path: Path, setup: ScorerSetup, prepared: Prepared) -> None:
    prepared.file("dispositions").unlink()
    with pytest.raises(BadInputError, match="case: cannot be written"):
        write_case(tmp_path / "run", setup, prepared)
