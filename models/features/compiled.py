"""How kernels are compiled: once, ahead of use, kept on disk, with IEEE arithmetic."""

import functools
import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

import streams

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
SHARED = Path(__file__).parent / "kernel"
CONSTANTS = Path(__file__).parent / "batch.py"
FLOWS = Path(streams.__file__).parent


def compiled(kernel: Kernel) -> Kernel:
    """Compile with numba, cached beside the module. No fastmath: the same operations in the same order, the same bits.

    Numba's disk cache notices a change of the module a kernel stands in, not of modules it calls or takes constants
    from. What was cached is therefore stamped with the source of the whole folder the kernel stands in, of the feature
    kernel, whose parts others use, of what constants come from (`batch`, and what flows: `streams`), and of this
    module: kernels that call each other share a folder otherwise.
    """
    return _compile(kernel, forceinline=False)


def inlined(kernel: Kernel) -> Kernel:
    """As `compiled`, for a part of a kernel: put into its callers, so that handing it an array costs nothing (a call
    counts a reference to each array up and down, atomically)."""
    return _compile(kernel, forceinline=True)


def _compile(kernel: Kernel, *, forceinline: bool) -> Kernel:
    settings = {"nogil": True, "error_model": "numpy", "forceinline": forceinline}
    try:
        found = numba.njit(cache=True, **settings)(kernel)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return cast(Kernel, numba.njit(**settings)(kernel))
    cached = found._cache._cache_file
    folders = Path(inspect.getfile(kernel)).parent, SHARED, FLOWS
    stamps = *map(folder_stamp, folders), CONSTANTS.read_bytes(), Path(__file__).read_bytes()
    cached._source_stamp = (cached._source_stamp, *stamps)
    return cast(Kernel, found)


def entry_point(kernel: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """The compiled kernel for arguments of exactly these types. Called by it, numba does not look at each argument
    again, which takes longer than many a kernel: 5 µs for thirty arrays.

    With arguments of other types it would read memory that is not theirs: whoever keeps it has to know.
    """
    found: Callable[..., Any] = cast(Any, kernel).compile(tuple(numba.typeof(argument) for argument in arguments))
    return found


@functools.cache
def folder_stamp(folder: Path) -> str:
    """Hash of the Python source in a folder."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
