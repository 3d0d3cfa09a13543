"""A virtual environment a peer, built from its lock and kept in the cache: nothing of theirs is among our packages."""

import sys
from pathlib import Path

from harness.cache import cached_folder, content_key, hash_file
from harness.peers.registry import Peer
from harness.processes import Family
from harness.training import Workshop, run_step

INSTALL_S = 900.0


def environment_of(peer: Peer, shop: Workshop) -> Path:
    """The Python of a peer's environment, which is built when there is none for this lock and this Python.

    Raises RunInvalidError with the installer's last words when a package cannot be had: not every peer has wheels for
    every Python.
    """
    key = content_key({"peer": peer.name, "lock": hash_file(peer.lock), "python": sys.version, "of": sys.base_prefix})

    def make(folder: Path) -> None:
        _run(shop, f"environment-{peer.name}", [sys.executable, "-m", "venv", str(folder)])
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        locked = ["--only-binary=:all:", "--require-hashes", "-r", str(peer.lock)]
        _run(shop, f"environment-{peer.name}", [str(folder / "bin" / "python"), *install, *locked])

    folder, _ = cached_folder(shop.cache, "peers", key, make)
    return folder / "bin" / "python"


def _run(shop: Workshop, name: str, command: list[str]) -> None:
    shop.family.stop(run_step(shop, name, command, INSTALL_S))


def build(peer: Peer, cache: Path, logs: Path) -> Path:
    """As `environment_of`, with processes of its own."""
    with Family() as family:
        return environment_of(peer, Workshop(cache, logs, family, lambda _: None))
