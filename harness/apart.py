"""Virtual environments apart from our own, for what does not go with our packages: each from its lock, in the cache."""

import sys
from pathlib import Path

from harness.cache import cached_folder, content_key, hash_file
from harness.training import Workshop, run_step

INSTALL_S = 900.0


def environment_apart(name: str, lock: Path, shop: Workshop, *, wheels_only: bool = True) -> Path:
    """The Python of an environment with exactly what `lock` names, which is built when there is none for this lock and
    this Python.

    The lock is complete: what a package says of its own needs is not looked at. Raises RunInvalidError with the
    installer's last words when a package cannot be had: not everything has wheels for every Python.
    """
    key = content_key({"name": name, "lock": hash_file(lock), "python": sys.version, "of": sys.base_prefix})

    def make(folder: Path) -> None:
        _run(shop, name, [sys.executable, "-m", "venv", str(folder)])
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
        wheels = ["--only-binary=:all:"] if wheels_only else []
        _run(shop, name, [str(folder / "bin" / "python"), *install, *wheels, "--require-hashes", "-r", str(lock)])

    folder, _ = cached_folder(shop.cache, "apart", key, make)
    return folder / "bin" / "python"


def _run(shop: Workshop, name: str, command: list[str]) -> None:
    shop.family.stop(run_step(shop, f"environment-{name}", command, INSTALL_S))
