"""The peers there are: `benchmarks/peers/registry.yaml`, read as data: their code runs in environments of its own."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml

from harness.cache import ROOT
from streams.errors import BadInputError

PEERS = ROOT / "benchmarks" / "peers"
REGISTRY = "registry.yaml"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    module: str
    lock: str
    package: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A runtime that does our job: `module` is its program, `lock` the packages of its environment, among them
    `package`, which it is named after."""

    name: str
    title: str
    module: str
    lock: Path
    package: str

    @property
    def version(self) -> str:
        """The version of its package, as the lock says. Raises BadInputError when the lock lacks it."""
        begin = f"{self.package}=="
        for line in _read(self.lock).splitlines():
            if line.startswith(begin):
                return line.removeprefix(begin).split()[0]
        raise BadInputError(
            f"{self.lock}: {self.package} is not in it; write it again: python -m benchmarks.peers.relock"
        )


def read_registry(folder: Path = PEERS) -> list[Peer]:
    """All peers, in the registry's order. Raises BadInputError naming the file and what is wrong with it."""
    path = folder / REGISTRY
    try:
        entries = msgspec.convert(yaml.safe_load(_read(path)), dict[str, _Entry])
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise BadInputError(f"{path}: {error}") from error
    return [
        Peer(name, entry.title, entry.module, folder / entry.lock, entry.package) for name, entry in entries.items()
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror or error}; bench peers needs a checkout of Riskbench"
        ) from error
