"""The built wheel is whole: it installs into an empty environment and its command line runs from there."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_rooms_and_their_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert tops == {"harness", "models", "rules", "scorer", "streams"}
    tracked = subprocess.run(
        ["git", "ls-files", *sorted(tops)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(tracked) <= set(names)


@pytest.mark.timeout(600)
def test_wheel_installs_in_an_empty_environment_and_runs(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    lock = ROOT / "requirements.lock"
    if uv := shutil.which("uv"):
        run(uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock, cwd=tmp_path)
    else:
        run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock, cwd=tmp_path)
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=tmp_path)
    run(python, "-m", "pip", "check", cwd=tmp_path)
    assert "run" in run(home / "bin" / "bench", "--help", cwd=tmp_path)
    assert "--rate" in run(home / "bin" / "bench", "run", "fraud", "--help", cwd=tmp_path)
