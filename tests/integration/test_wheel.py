"""The built wheel is whole: it installs into an empty environment and its command line runs from there."""

import importlib.metadata
import re
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


def link_locked(site: Path) -> None:
    """What the lock of what runs names, and nothing else, from where these tests run: as if installed, in no time."""
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M):
        try:
            files = importlib.metadata.distribution(name).files or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform or Python
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(files[0].locate())).parents[len(files[0].parts) - 1] / top)


def test_wheel_runs_with_what_the_lock_names_alone(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    (site,) = home.glob("lib/python*/site-packages")
    link_locked(site)
    install(home, "--no-deps", wheel, folder=tmp_path)
    check_runs(home, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_wheel_installs_in_an_empty_environment_and_runs(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    lock = ROOT / "requirements.lock"
    if uv := shutil.which("uv"):
        run(uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock, cwd=tmp_path)
    else:
        install(home, "--require-hashes", "-r", lock, folder=tmp_path)
    install(home, "--no-deps", wheel, folder=tmp_path)
    check_runs(home, tmp_path)


def install(home: Path, *what: str | Path, folder: Path) -> None:
    run(home / "bin" / "python", "-m", "pip", "install", "--quiet", *what, cwd=folder)


def check_runs(home: Path, folder: Path) -> None:
    """Nothing that the wheel asks for is missing or of a wrong version, and the command line starts."""
    run(home / "bin" / "python", "-m", "pip", "check", cwd=folder)
    assert "run" in run(home / "bin" / "bench", "--help", cwd=folder)
    assert "--rate" in run(home / "bin" / "bench", "run", "fraud", "--help", cwd=folder)
