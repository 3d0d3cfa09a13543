"""What drives the model is found beside other work; that it failed is told, and stops nothing."""

from pathlib import Path

import pytest

from harness import importance
from harness.importance import importance_beside
from harness.processes import Family
from harness.training import Workshop
from streams.errors import BadInputError


def workshop(folder: Path) -> Workshop:
    return Workshop(folder, folder, Family(), lambda _: None)


def test_it_is_there_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "write_importance", lambda _bundle, run, *_: (run / "found").write_text("x"))
    told: list[str] = []
    with importance_beside(tmp_path, tmp_path, 1, workshop(tmp_path), told.append):
        pass
    assert (tmp_path / "found").is_file()
    assert told == []


def test_why_there_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise BadInputError("the bundle has no trees")

    monkeypatch.setattr(importance, "write_importance", fails)
    told: list[str] = []
    with importance_beside(tmp_path, tmp_path, 1, workshop(tmp_path), told.append):
        pass
    assert told == ["The report will not show what drives the model: the bundle has no trees"]


def test_what_is_done_meanwhile_may_fail_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "write_importance", lambda *_: None)
    with (
        pytest.raises(KeyError, match="measuring"),
        importance_beside(tmp_path, tmp_path, 1, workshop(tmp_path), lambda _: None),
    ):
        raise KeyError("measuring")
