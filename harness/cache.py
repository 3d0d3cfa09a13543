"""Things that are costly to make are kept by the hash of everything they are made from."""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from streams.errors import BadInputError

logger = logging.getLogger("riskbench.harness.cache")
ROOT = Path(__file__).resolve().parent.parent
BLOCK_BYTES = 1 << 20


def hash_file(path: Path) -> str:
    """BLAKE2b of a file's bytes; raises BadInputError when it cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def hash_path(path: Path) -> str:
    """BLAKE2b of a file's bytes, or of all files of a folder with their names. Raises BadInputError when one cannot be
    read."""
    if not path.is_dir():
        return hash_file(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return content_key({file.relative_to(path).as_posix(): hash_file(file) for file in files})


def hash_sources(places: Iterable[str]) -> str:
    """BLAKE2b of our own source files: a change of code is a change of what it makes.

    A place is a folder (all of it), a file, or a pattern of files (`streams/*.py`), below the project's root. Raises
    ValueError for a place that holds no source: a key that does not see its code would find what older code made.
    """
    digest = hashlib.blake2b(digest_size=16)
    for place in places:
        paths = sorted(_sources(place))
        if not paths:
            raise ValueError(f"{place} holds no source file")
        for path in paths:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(place: str) -> Iterator[Path]:
    found = (ROOT / place).rglob("*") if (ROOT / place).is_dir() else ROOT.glob(place)
    return (path for path in found if path.suffix in {".py", ".yaml"})


def content_key(parts: dict[str, Any]) -> str:
    """A short name for everything something is made from."""
    encoded = json.dumps(parts, sort_keys=True, default=str).encode()
    return hashlib.blake2b(encoded, digest_size=10).hexdigest()


def cached_folder(cache: Path, kind: str, key: str, make: Callable[[Path], None]) -> tuple[Path, bool]:
    """The folder of `key`, made by `make(folder)` when it is not there. Returns it and whether it was there.

    It appears whole or not at all, also when two runs make it at once.
    """
    final = cache / kind / key
    if final.is_dir():
        return final, True
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=final.parent))
    except OSError as error:
        raise BadInputError(f"--cache-dir {cache}: cannot be written: {error.strerror or error}") from error
    try:
        make(staging)
        staging.chmod(0o755)
        try:
            staging.rename(final)
        except OSError:
            if not final.is_dir():
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return final, False
