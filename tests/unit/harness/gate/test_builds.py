import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.gate.builds import (
    Build,
    begin_bench,
    build_commit,
    build_working_tree,
    commit_of,
    end_bench,
    repository,
)
from harness.processes import Family
from streams.errors import BadInputError, RunInvalidError

BENCH = """#!/bin/sh
echo "$RISKBENCH_VENV" >> "$CALLS"
[ "$1" = version ] || { echo 'it broke' >&2; exit 7; }
"""


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "early").write_text("no bench yet")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "early")
    (folder / "bench").write_text(BENCH)
    (folder / "bench").chmod(0o755)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "CALLS": str(tmp_path / "calls")}


@pytest.fixture
def family() -> Iterator[Family]:
    with Family() as opened:
        yield opened


def test_a_commit_gets_a_source_and_an_environment_of_its_own(
    checkout: Path, environ: dict[str, str], tmp_path: Path, family: Family
) -> None:
    (checkout / "bench").write_text("changed since")
    build = build_commit(checkout, "HEAD", tmp_path / "cache", environ, family)
    assert (build.source / "bench").read_text() == BENCH
    assert Path(environ["CALLS"]).read_text().strip() == build.environ["RISKBENCH_VENV"]
    assert build.name == commit_of(checkout, "main")[:12]
    assert not (checkout / ".git" / "worktrees").exists()
    assert build_commit(checkout, "main", tmp_path / "cache", environ, family) == build


def test_the_working_tree_is_taken_as_it_is(
    checkout: Path, environ: dict[str, str], tmp_path: Path, family: Family
) -> None:
    build = build_working_tree(checkout, tmp_path / "cache", {**environ, "PYTHONPATH": "elsewhere"}, family)
    assert "PYTHONPATH" not in build.environ
    assert build.source == checkout
    assert Path(environ["CALLS"]).read_text().strip() == ""


@pytest.mark.parametrize(
    ("ref", "words"), [("nowhere", "names no commit"), ("HEAD~1", "too old"), ("--all", "no commit")]
)
def test_a_ref_that_cannot_be_built_is_refused(
    checkout: Path, environ: dict[str, str], tmp_path: Path, family: Family, ref: str, words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        build_commit(checkout, ref, tmp_path / "cache", environ, family)


def test_the_gate_needs_a_checkout_of_this_project(tmp_path: Path, checkout: Path) -> None:
    with pytest.raises(BadInputError, match="not a git repository"):
        repository(tmp_path)
    assert repository(checkout) == checkout
    git(checkout, "rm", "-q", "bench")
    with pytest.raises(BadInputError, match=r"no \./bench"):
        repository(checkout)


def test_a_build_that_fails_says_its_last_words(
    checkout: Path, environ: dict[str, str], tmp_path: Path, family: Family
) -> None:
    build = Build("abc", checkout, environ)
    log = tmp_path / "logs" / "build.log"
    with pytest.raises(RunInvalidError, match="ended with 7:\nit broke"):
        end_bench(begin_bench(build, ["run"], family, log), family, 20.0)
    assert end_bench(begin_bench(build, ["run"], family, log), family, 20.0, codes=(7,)) == 7
    assert log.read_text() == "it broke\n"


def test_a_build_that_takes_too_long_is_ended(checkout: Path, environ: dict[str, str], family: Family) -> None:
    (checkout / "bench").write_text("#!/bin/sh\nexec sleep 60\n")
    child = begin_bench(Build("abc", checkout, environ), ["version"], family, checkout / "log")
    with pytest.raises(RunInvalidError, match=r"abc: bench version took over 0\.2 s"):
        end_bench(child, family, 0.2)
    assert not child.running
