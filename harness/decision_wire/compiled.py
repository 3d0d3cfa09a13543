"""How these kernels are compiled: once, ahead of use, kept on disk."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

import harness.decision_rows
import harness.spool
import streams.decision
import streams.transaction

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
CONSTANTS = harness.decision_rows, harness.spool, streams.decision, streams.transaction
"""What takes part from other folders."""


def compiled(kernel: Kernel) -> Kernel:
    """Compile with numba, cached beside the module.

    Numba's disk cache notices a change of the module a kernel stands in, not of modules it calls or takes constants
    from. What was cached is therefore stamped with the source of all of them.
    """
    return _compile(kernel, forceinline=False)


def inlined(kernel: Kernel) -> Kernel:
    """As `compiled`, for a part of a kernel: put into its callers, so that handing it an array costs nothing."""
    return _compile(kernel, forceinline=True)


def _compile(kernel: Kernel, *, forceinline: bool) -> Kernel:
    settings = {"nogil": True, "error_model": "numpy", "forceinline": forceinline}
    try:
        found = numba.njit(cache=True, **settings)(kernel)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return cast(Kernel, numba.njit(**settings)(kernel))
    cached = found._cache._cache_file
    cached._source_stamp = (cached._source_stamp, _stamp())
    return cast(Kernel, found)


@functools.cache
def _stamp() -> str:
    """Hash of the source that these kernels are made of."""
    digest = hashlib.blake2b(digest_size=16)
    for path in (*sorted(Path(__file__).parent.glob("*.py")), *(Path(str(each.__file__)) for each in CONSTANTS)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
