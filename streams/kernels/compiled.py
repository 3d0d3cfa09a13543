"""How kernels are compiled: once, ahead of use, kept on disk, with IEEE arithmetic."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from streams.kernels.sources import stamp_of

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """Compile with numba, cached beside the module. No fastmath: the same operations in the same order, the same bits.
    Other threads go on while it runs.

    Numba's disk cache notices a change of the module a kernel stands in, not of modules it calls or takes constants
    from. What was cached is therefore stamped with all that the kernel is made of (`sources`).
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
    cached._source_stamp = (cached._source_stamp, stamp_of(kernel))
    return cast(Kernel, found)


def entry_point(kernel: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """The compiled kernel for arguments of exactly these types. Called by it, numba does not look at each argument
    again, which takes longer than many a kernel: 5 µs for thirty arrays.

    With arguments of other types it would read memory that is not theirs: whoever keeps it has to know.
    """
    found: Callable[..., Any] = cast(Any, kernel).compile(tuple(numba.typeof(argument) for argument in arguments))
    return found
