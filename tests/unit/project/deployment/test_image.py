"""The image: its recipe by a linter and by what it promises, and what gets into it."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.deployment_files import PROGRAMS, ROOT, parsed

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def stage(name: str) -> str:
    """The instructions of a stage, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    stages = re.split(r"^FROM ", joined, flags=re.MULTILINE)[1:]
    (found,) = [text for text in stages if text.splitlines()[0].endswith(f" AS {name}")]
    return found


def test_the_linter_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    assert hadolint is not None, "hadolint is one of the locked development packages"
    done = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dependencies_come_from_the_lock_as_wheels_with_hashes() -> None:
    installs = re.findall(r"pip [^&\n]*install [^&\n]*", stage("build"))
    assert len(installs) == 2
    locked, own = installs
    assert all(word in locked for word in ("--require-hashes", "--only-binary :all:", "-r /src/requirements.lock"))
    assert all(word in own for word in ("--no-deps", "--no-index", "/dist/"))
    assert "hatchling build -t wheel" in stage("build")


def test_what_runs_is_neither_root_nor_has_it_an_installer() -> None:
    base = stage("base")
    assert re.search(r"^USER 10001:10001$", base, re.MULTILINE)
    assert "pip uninstall --yes" in base
    assert "COPY --from=build /opt/riskbench /opt/riskbench" in base
    for text in (base, stage("scorer"), stage("harness")):
        assert "apt-get" not in text
        assert "USER root" not in text
    assert stage("scorer").startswith("base AS")
    assert stage("harness").startswith("base AS")


def test_the_health_check_asks_where_the_scorer_answers() -> None:
    entry = re.search(r"^ENTRYPOINT (\[.*\])$", stage("scorer"), re.MULTILINE)
    assert entry is not None
    words = re.findall(r'"([^"]*)"', entry[1])
    assert words[:3] == ["python", "-m", "scorer"]
    port = parsed("riskbench-scorer", words[3:])["metrics_port"]
    assert f"http://127.0.0.1:{port}/health" in stage("scorer")
    assert f"EXPOSE {port}" in stage("scorer")
    assert 'ENTRYPOINT ["bench"]' in stage("harness")
    assert set(PROGRAMS) == {"riskbench", "riskbench-scorer"}


@pytest.fixture(scope="module")
def sent() -> set[str]:
    """The tracked files that .dockerignore lets through."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = [line[1:] for line in rules if line.startswith("!")]
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return {name for name in tracked if any(name == item or fnmatch.fnmatch(name, f"{item}/*") for item in let_in)}


def test_the_build_gets_all_it_needs_and_nothing_else(sent: set[str]) -> None:
    rooms = ("harness", "models", "rules", "scorer", "streams")
    tracked = subprocess.run(["git", "ls-files", *rooms], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(tracked.stdout.split()) <= sent
    assert {name for name in sent if name.split("/")[0] not in rooms} == {
        "pyproject.toml", "requirements.lock", "README.md", "LICENSE",
    }  # fmt: skip


def test_the_wheel_is_built_from_what_the_build_gets(sent: set[str], tmp_path: Path) -> None:
    for name in sent:
        target = tmp_path / "src" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    done = subprocess.run(command, cwd=tmp_path / "src", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == {name for name in sent if "/" in name}
