"""What a kernel is made of: the source of the module it stands in, and of each module of ours that this one imports,
directly or through others. Whatever a kernel calls or takes a constant from has come into its module by an import.

Followed are import statements as they stand in the text, wherever they stand; of a package from which something is
imported, all modules count. What is imported by a name that is put together at run time is not seen, nor are files of
data: what is read from one is handed to a kernel, and is no constant of its module.
"""

import functools
import hashlib
import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOMS = frozenset({"harness", "models", "rules", "scorer", "streams"})
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+))", re.MULTILINE)


class Source(NamedTuple):
    """A module's text as its hash, and the names of what it imports."""

    digest: bytes
    imports: frozenset[str]


def stamp_of(kernel: Callable[..., Any]) -> str:
    """Hash of all that a function is made of."""
    own = kernel.__module__.partition(".")[0]
    return _stamp(Path(kernel.__code__.co_filename), own)


@functools.cache
def _stamp(path: Path, own: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for each in sorted(sources_of(path, own)):
        digest.update(each.name.encode() + b"\0" + _source(each).digest)
    return digest.hexdigest()


def sources_of(path: Path, own: str) -> set[Path]:
    """The files that a module's content comes from. Ours are the rooms and `own`, the package it stands in itself."""
    found, left = {path}, [path]
    while left:
        for name in _source(left.pop()).imports:
            if name.partition(".")[0] in ROOMS | {own}:
                new = set(_files(name)) - found
                found |= new
                left += new
    return found


@functools.cache
def _source(path: Path) -> Source:
    text = path.read_bytes()
    names = (found or also for found, also in _IMPORT.findall(text))
    return Source(hashlib.blake2b(text, digest_size=16).digest(), frozenset(name.decode() for name in names))


@functools.cache
def _files(module: str) -> tuple[Path, ...]:
    """The file of a module, or those of all modules of a package; none of a name that is neither."""
    return tuple(_found(module))


def _found(module: str) -> Iterator[Path]:
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        place = Path(folder).joinpath(*rest)
        yield from sorted(place.glob("*.py"))
        if rest and (file := place.with_suffix(".py")).is_file():
            yield file


@functools.cache
def folder_stamp(folder: Path) -> str:
    """Hash of the Python source in a folder."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
