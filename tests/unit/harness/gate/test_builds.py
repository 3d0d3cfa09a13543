import os
import subprocess
from pathlib import Path

import pytest

from harness.gate.builds import Build, build_commit, build_working_tree, commit_of, repository, run_bench
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


def test_a_commit_gets_a_source_and_an_environment_of_its_own(
    checkout: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    (checkout / "bench").write_text("changed since")
    build = build_commit(checkout, "HEAD", tmp_path / "cache", environ)
    assert (build.source / "bench").read_text() == BENCH
    assert Path(environ["CALLS"]).read_text().strip() == build.environ["RISKBENCH_VENV"]
    assert build.name == commit_of(checkout, "main")[:12]
    assert not (checkout / ".git" / "worktrees").exists()
    assert build_commit(checkout, "main", tmp_path / "cache", environ) == build


def test_the_working_tree_is_taken_as_it_is(checkout: Path, environ: dict[str, str]) -> None:
    build = build_working_tree(checkout, environ)
    assert build.source == checkout
    assert Path(environ["CALLS"]).read_text().strip() == ""


@pytest.mark.parametrize(
    ("ref", "words"), [("nowhere", "names no commit"), ("HEAD~1", "too old"), ("--all", "no commit")]
)
def test_a_ref_that_cannot_be_built_is_refused(
    checkout: Path, environ: dict[str, str], tmp_path: Path, ref: str, words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        build_commit(checkout, ref, tmp_path / "cache", environ)


def test_the_gate_needs_a_checkout_of_this_project(tmp_path: Path, checkout: Path) -> None:
    with pytest.raises(BadInputError, match="not a git repository"):
        repository(tmp_path)
    assert repository(checkout) == checkout
    git(checkout, "rm", "-q", "bench")
    with pytest.raises(BadInputError, match=r"no \./bench"):
        repository(checkout)


def test_a_run_that_fails_says_its_last_words(checkout: Path, environ: dict[str, str]) -> None:
    build = Build("abc", checkout, environ)
    with pytest.raises(RunInvalidError, match="ended with 7:\nit broke"):
        run_bench(build, ["run"], 20.0)
    assert run_bench(build, ["run"], 20.0, codes=(7,)) == 7
