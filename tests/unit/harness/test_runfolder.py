"""A folder is marked from its first moment to its last."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.runfolder import MARKER, RunFolder, is_complete
from streams.errors import BadInputError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_marked_until_complete(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "runs", "fraud", NOW)
    assert folder.path.name == "20260102-030405-fraud"
    assert (folder.path / MARKER).exists()
    (folder.work / "x").write_text("x", encoding="utf-8")
    folder.write("results.json", "{}")
    assert not is_complete(folder.path)
    folder.complete()
    assert is_complete(folder.path)
    assert sorted(p.name for p in folder.path.iterdir()) == ["logs", "results.json"]


def test_only_its_owner_looks_into_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = RunFolder.create(tmp_path / "runs", "fraud", NOW)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_the_reason_stays(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "fraud", NOW)
    folder.mark("interrupted by SIGINT")
    assert (folder.path / MARKER).read_text(encoding="utf-8") == "interrupted by SIGINT\n"
    assert not is_complete(folder.path)


def test_runs_of_the_same_second_do_not_meet(tmp_path: Path) -> None:
    first, second = (RunFolder.create(tmp_path, "fraud", NOW) for _ in range(2))
    assert first.path != second.path


def test_unwritable_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(BadInputError, match=r"--out .*file.*cannot be made there"):
        RunFolder.create(blocked / "runs", "fraud", NOW)
